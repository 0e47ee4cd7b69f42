"""A command as rank 0 and as another rank, with torchrun's store in this process."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from torch.distributed import HashStore

from vsodtool.cli.console import Reporter
from vsodtool.cli.failure import exit_code_of
from vsodtool.cli.ranks import is_news, leave_together, run_in_ranks, speaker
from vsodtool.config import FlowConfig
from vsodtool.errors import DataError, DeviceError, UsageError
from vsodtool.pipelines.flow import FlowReport, FlowVideoReport
from vsodtool.pipelines.running.ranks import Board
from vsodtool.types import Event, ignore_event

BeRank = Callable[[int], None]


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Board:
    board = Board(HashStore())
    monkeypatch.setattr(Board, "of_torchrun", lambda: board)
    monkeypatch.setattr("torch.set_num_threads", lambda count: None)
    return board


@pytest.fixture
def be_rank(board: Board, monkeypatch: pytest.MonkeyPatch) -> BeRank:
    def be(number: int) -> None:
        for name, value in {
            "RANK": number,
            "LOCAL_RANK": number,
            "WORLD_SIZE": 2,
            "LOCAL_WORLD_SIZE": 2,
        }.items():
            monkeypatch.setenv(name, str(value))
        monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")

    return be


class Work:
    """A pipeline that notes how it was called."""

    def __init__(self) -> None:
        self.calls: list[tuple[FlowConfig, str]] = []

    def __call__(self, config: FlowConfig, *, launch: str = "", on_event: object) -> FlowReport:
        self.calls.append((config, launch))
        videos = [FlowVideoReport(f"v{config.shard[:1]}", 3, 2, 0, 0, 0.5)]
        losses = [f"lost by {config.shard}"]
        return FlowReport(backend="dis", output=config.output, videos=videos, losses=losses, seconds=1.0)


def config(**options: Any) -> FlowConfig:
    return FlowConfig(**{"inputs": ("a", "b"), "output": Path("out"), "device": "cpu", **options})


def test_without_torchrun_nothing_is_different() -> None:
    work, given = Work(), config()
    assert run_in_ranks(work, given, ignore_event).losses == ["lost by "]
    assert work.calls == [(given, "")]
    assert (speaker(), is_news("x"), is_news("x"), leave_together(3)) == ("", True, True, 3)


def test_an_engine_that_divides_the_work_is_refused(be_rank: BeRank) -> None:
    be_rank(1)
    with pytest.raises(UsageError, match="both divide the work"):
        run_in_ranks(Work(), config(engine="ray"), ignore_event)


def test_rank_0_speaks_for_all(be_rank: BeRank) -> None:
    work = Work()
    be_rank(1)
    assert run_in_ranks(work, config(), ignore_event).losses == []
    be_rank(0)
    report = run_in_ranks(work, config(), ignore_event)
    assert [video.name for video in report.videos] == ["v1", "v2"]
    assert report.losses == ["lost by 1/2", "lost by 2/2"]
    (second, launch_of_second), (first, launch_of_first) = work.calls
    assert (first.shard, second.shard) == ("1/2", "2/2")
    assert launch_of_first == launch_of_second != ""


def test_rank_0_takes_the_exit_code_of_a_rank_that_failed(
    be_rank: BeRank, board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    board.post("end/1", "4")
    be_rank(0)
    with pytest.raises(typer.Exit) as caught:
        run_in_ranks(Work(), config(), ignore_event)
    assert caught.value.exit_code == 4
    assert capsys.readouterr().err.startswith("error: rank 1 of 2 failed with exit code 4")


def test_rank_0_reads_stdin_for_all(be_rank: BeRank, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work()
    monkeypatch.setattr("sys.stdin", io.StringIO("a b\nc\n"))
    be_rank(1)
    board = Board.of_torchrun()
    board.post("inputs", '["a b", "c", "d"]')
    run_in_ranks(work, config(inputs=("-", "d")), ignore_event)
    be_rank(0)
    run_in_ranks(work, config(inputs=("-", "d")), ignore_event)
    assert [given.inputs for given, _ in work.calls] == [("a b", "c", "d")] * 2
    assert board.read("inputs") == '["a b", "c", "d"]'


def test_no_stdin_where_rank_0_failed(be_rank: BeRank, board: Board) -> None:
    board.post("end/0", "2")
    be_rank(1)
    with pytest.raises(typer.Exit) as caught:
        run_in_ranks(Work(), config(inputs=("-",)), ignore_event)
    assert caught.value.exit_code == 2


def test_an_error_of_all_is_said_once(be_rank: BeRank, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise DataError("a.png: unreadable", "mend it")

    be_rank(1)
    assert exit_code_of(fail) == 3
    assert capsys.readouterr().err == "error: rank 1: a.png: unreadable\nhint: mend it\n"
    be_rank(0)
    assert exit_code_of(fail) == 3
    assert capsys.readouterr().err == ""


def test_ranks_leave_together(be_rank: BeRank, board: Board) -> None:
    board.post("end/0", "0")
    be_rank(1)
    assert leave_together(3) == 3
    assert board.read("end/1") == "3"
    be_rank(0)
    assert leave_together(0) == 0


def test_an_interrupted_rank_does_not_wait(be_rank: BeRank, board: Board) -> None:
    be_rank(0)
    assert leave_together(130) == 130
    assert not board.has("end/0")


def test_a_torchrun_that_has_gone_stops_nobody(be_rank: BeRank, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> Board:
        raise DeviceError("lost contact with torchrun")

    monkeypatch.setattr(Board, "of_torchrun", gone)
    be_rank(1)
    assert leave_together(5) == 5
    assert is_news("x")


@pytest.mark.parametrize(("rank", "seen"), [(0, "data"), (1, "")])
def test_only_rank_0_writes_to_stdout(rank: int, seen: str, be_rank: BeRank) -> None:
    be_rank(rank)
    silence = "from vsodtool.cli import ranks; ranks.be_silent_beside_rank_0()"
    script = f"import sys; {silence}; sys.stdout.write('data')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True)
    assert (done.stdout, done.stderr) == (seen, "")


def test_notices_of_all_are_those_of_rank_0(be_rank: BeRank, capsys: pytest.CaptureFixture[str]) -> None:
    events = [
        Event("notice", message="flow: dis"),
        Event("notice", "v", "would compute"),
        Event("warning", message="lost"),
        Event("done", "v", "3 flows"),
    ]
    said = []
    for rank in (0, 1):
        be_rank(rank)
        reporter = Reporter()
        for event in events:
            reporter(event)
        said.append(capsys.readouterr().err.splitlines())
    assert said[0] == ["flow: dis", "v: would compute", "warning: lost", "v: 3 flows"]
    assert said[1] == said[0][1:]
