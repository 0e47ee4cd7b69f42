"""A command in each process of a torchrun: all do their share, rank 0 speaks for all on stdout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import typer

from vsodtool.cli import interrupt
from vsodtool.cli.console import write_err
from vsodtool.cli.streams import drop
from vsodtool.config import ShardedConfig
from vsodtool.errors import DeviceError, UsageError
from vsodtool.pipelines.running.ranks import Board, Rank, share_of

if TYPE_CHECKING:
    from vsodtool.pipelines.running.reports import RunReport

R = TypeVar("R", bound="RunReport")
C = TypeVar("C", bound=ShardedConfig)

_INPUTS = "inputs"


def run_in_ranks(run: Callable[..., R], config: C, on_event: Callable[..., None]) -> R:
    """Call a pipeline; as one of the processes of a torchrun, for this rank's share of the videos.

    Args:
        run: called with the configuration, `launch` and `on_event`.
        config: of the whole run.
        on_event: hears of this rank's progress.

    Returns:
        On rank 0, which waits for them, what all ranks did; on the others what they did themselves, without
        their losses, of which rank 0 tells.

    Raises:
        UsageError: the engine is one that divides the work itself.
        Exit: on rank 0, with the exit code of the first rank that failed.
    """
    rank = Rank.from_environment()
    if rank is None:
        return run(config, on_event=on_event)
    if config.engine != "process":
        raise UsageError(
            f"--engine {config.engine} in a process of torchrun: both divide the work",
            f"start it once, without torchrun: vsodtool ... --engine {config.engine}",
        )
    import secrets

    import torch

    from vsodtool.pipelines.running.reports import merge, pack, unpack

    board = Board.of_torchrun()
    share = share_of(_with_inputs_of_rank_0(config, rank, board), rank)
    torch.set_num_threads(share.workers)  # torchrun's OMP_NUM_THREADS=1 is meant for busier machines
    report = run(share, launch=board.agree("launch", secrets.token_hex(8)), on_event=on_event)
    if rank.number > 0:
        board.post(_report(rank.number), pack(report))
        return replace(report, losses=[])
    reports = [report]
    failed: dict[int, int] = {}
    for other in range(1, rank.count):
        found = board.wait([_report(other), _end(other)])
        if found == _report(other):
            reports.append(unpack(board.read(found), type(report)))
        else:
            failed[other] = int(board.read(found))
    if failed:
        number, code = next(iter(failed.items()))
        write_err(
            f"error: rank {number} of {rank.count} failed with exit code {code}, its message is above\n"
        )
        write_err("hint: what is finished stays; run the same command again for the rest\n")
        raise typer.Exit(code)
    return merge(reports)


def _with_inputs_of_rank_0(config: C, rank: Rank, board: Board) -> C:
    """All ranks have one standard input: rank 0 reads it for them."""
    if "-" not in config.inputs:
        return config
    import json

    from vsodtool.media.video.inputs import expand_inputs

    if rank.number == 0:
        inputs = tuple(expand_inputs(config.inputs))
        board.post(_INPUTS, json.dumps(inputs))
    elif board.wait([_INPUTS, _end(0)]) == _INPUTS:
        inputs = tuple(json.loads(board.read(_INPUTS)))
    else:
        raise typer.Exit(int(board.read(_end(0))))
    return replace(config, inputs=inputs or ("-",))  # nothing there: they refuse it, each in the same words


def be_silent_beside_rank_0() -> None:
    """On every other rank of a torchrun: what is written to stdout goes nowhere."""
    rank = Rank.from_environment()
    if rank is not None and rank.number > 0:
        drop(1)


def is_news(text: str) -> bool:
    """Whether no other rank has said this already; an error of the command line is one of all of them."""
    rank = Rank.from_environment()
    if rank is None:
        return True
    import hashlib

    name = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    try:
        return Board.of_torchrun().agree(f"said/{name}", str(rank.number)) == str(rank.number)
    except DeviceError:
        return True


def speaker() -> str:
    """What a message begins with, so that one sees which rank of a torchrun it is about; else nothing."""
    rank = Rank.from_environment()
    return "" if rank is None else f"rank {rank.number}: "


def leave_together(code: int) -> int:
    """Wait for the other ranks before this process ends: torchrun kills them all when one ends with an error.

    Args:
        code: exit code of this rank, returned as it is.
    """
    rank = Rank.from_environment()
    if rank is None or code == interrupt.CODE:
        return code
    try:
        board = Board.of_torchrun()
        board.post(_end(rank.number), str(code))
        for other in range(rank.count):
            board.wait([_end(other)])
    except (DeviceError, KeyboardInterrupt):
        return code  # torchrun has gone, or wants its processes gone
    return code


def _report(rank: int) -> str:
    return f"report/{rank}"


def _end(rank: int) -> str:
    return f"end/{rank}"
