"""Runs that are killed, stopped, or shared by several processes end with the same weights."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from vsodtool.media.training_run.folder import read_checkpoint
from vsodtool.media.training_run.log import read_log

pytestmark = pytest.mark.long

WriteConfig = Callable[..., Path]
TRAIN = ["-m", "vsodtool", "train", "video", "--quiet"]
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", *TRAIN[1:]]


@contextmanager
def started(arguments: list[object], output: Path) -> Iterator[subprocess.Popen[str]]:
    """A process of one thread that is killed at the end of the block if it still runs."""
    process = subprocess.Popen(
        [sys.executable, *map(str, arguments), "-o", str(output)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        start_new_session=True,  # so that what it started can be killed with it
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def finish(arguments: list[object], output: Path) -> None:
    with started(arguments, output) as process:
        _, err = process.communicate()
        assert process.returncode == 0, err


def wait_for_step(output: Path, step: int, process: subprocess.Popen[str]) -> None:
    while process.poll() is None and not any(
        record["step"] >= step for record in read_log(output / "log.jsonl") if record["event"] == "step"
    ):
        time.sleep(0.02)
    assert process.poll() is None, process.communicate()


def curve(output: Path) -> list[tuple[int, float]]:
    return [
        (record["step"], record["loss"])
        for record in read_log(output / "log.jsonl")
        if record["event"] == "step"
    ]


def weights(output: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in output.glob("*.safetensors")}


def test_a_killed_and_stopped_run_ends_with_the_same_weights(
    config_file: WriteConfig, tmp_path: Path
) -> None:
    # Saved after every other step or so: what is lost has to be done again.
    arguments = [*TRAIN, "--config", config_file(batch_size=1, accumulate=2), "--save-minutes", 0.003]
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    finish(arguments, undisturbed)
    with started(arguments, disturbed) as process:
        wait_for_step(disturbed, 2, process)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert not (disturbed / "final.safetensors").exists()
    with started(arguments, disturbed) as process:
        wait_for_step(disturbed, 4, process)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate()
    assert process.returncode == 130
    assert err.splitlines()[-1] == "interrupted; run the same command again to continue"
    stopped = read_checkpoint(disturbed / "last.pt")["step"]
    assert stopped == curve(disturbed)[-1][0] >= 4
    finish(arguments, disturbed)
    assert curve(disturbed) == curve(undisturbed)
    assert weights(disturbed) == weights(undisturbed)
    assert not list(disturbed.glob(".*"))


def test_two_processes_give_the_curve_of_one_with_the_doubled_batch(
    config_file: WriteConfig, tmp_path: Path
) -> None:
    # Two gloo processes on this machine, as `torchrun --nproc-per-node 2 -m vsodtool train` starts them.
    start = tmp_path / "start"
    finish([*TRAIN, "--config", config_file(epochs=1, steps_per_epoch=1)], start)
    changes = {"init": start, "batch_norm": "frozen", "precision": "fp32", "epochs": 1}
    path = config_file(**changes)
    finish([*TRAIN, "--config", path, "--batch-size", 4], tmp_path / "one")
    finish([*TORCHRUN, "--config", path, "--batch-size", 2], tmp_path / "two")
    one, two = (curve(tmp_path / name) for name in ("one", "two"))
    assert [step for step, _ in two] == [1, 2, 3]
    assert [loss for _, loss in two] == pytest.approx([loss for _, loss in one], rel=1e-4)
    scores = [
        next(record for record in read_log(tmp_path / name / "log.jsonl") if record["event"] == "validation")
        for name in ("one", "two")
    ]
    assert scores[1]["frames"] == scores[0]["frames"] > 0
    assert scores[1]["s_measure"] == pytest.approx(scores[0]["s_measure"], rel=1e-3)


def test_a_killed_rank_ends_the_run_and_the_next_one_continues(
    config_file: WriteConfig, tmp_path: Path
) -> None:
    output = tmp_path / "run"
    arguments = [*TORCHRUN, "--config", config_file(batch_size=1), "--save-minutes", 0]
    with started(arguments, output) as process:
        wait_for_step(output, 2, process)
        os.kill(rank_processes(process.pid)[1], signal.SIGKILL)
        _, err = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "Signal 9 (SIGKILL)" in err  # torchrun's words; it may end the other rank before that one notices
    reached = read_checkpoint(output / "last.pt")["step"]
    assert reached >= 1
    finish(arguments, output)
    assert [step for step, _ in curve(output)] == [1, 2, 3, 4, 5, 6]


def rank_processes(agent: int) -> list[int]:
    """The processes that torchrun started, by rank."""
    ranks: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        try:
            if not entry.name.isdigit() or f"PPid:\t{agent}\n" not in (entry / "status").read_text():
                continue
            environment = (entry / "environ").read_bytes().split(b"\0")
        except OSError:  # it has ended meanwhile
            continue
        for variable in environment:
            if variable.startswith(b"RANK="):
                ranks[int(variable[5:])] = int(entry.name)
    return [ranks[rank] for rank in sorted(ranks)]
