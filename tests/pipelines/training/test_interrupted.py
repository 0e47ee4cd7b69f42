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

from vsodtool.config import TrainConfig
from vsodtool.media.training_run.folder import read_checkpoint
from vsodtool.media.training_run.log import read_log
from vsodtool.pipelines.train import run_train

pytestmark = pytest.mark.long

MakeConfig = Callable[..., TrainConfig]
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
    config: MakeConfig, config_file: WriteConfig, tmp_path: Path
) -> None:
    # Saved after every other step or so: what is lost has to be done again.
    changes: dict[str, object] = {"batch_size": 1, "accumulate": 2}
    arguments = [*TRAIN, "--config", config_file(**changes), "--save-minutes", 0.003]
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    run_train(config(**changes, output=undisturbed))
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
    lines = err.splitlines()
    assert lines[-1] == "interrupted; run the same command again to continue"
    assert lines[-2].startswith("warning: asked to stop: this step is finished and saved first")
    stopped = read_checkpoint(disturbed / "last.pt")["step"]
    assert stopped == curve(disturbed)[-1][0] >= 4
    run_train(config(**changes, save_minutes=0.003, output=disturbed))
    assert curve(disturbed) == curve(undisturbed)
    assert weights(disturbed) == weights(undisturbed)
    assert not list(disturbed.glob(".*"))


def test_two_processes_of_which_one_is_killed_give_the_curve_of_one_with_the_doubled_batch(
    config: MakeConfig, config_file: WriteConfig, tmp_path: Path
) -> None:
    # Two gloo processes on this machine, as `torchrun --nproc-per-node 2 -m vsodtool train` starts them.
    start, one, two = (tmp_path / name for name in ("start", "one", "two"))
    run_train(config(epochs=1, steps_per_epoch=1, output=start))
    changes: dict[str, object] = {"init": str(start), "batch_norm": "frozen", "precision": "fp32"}
    run_train(config(**changes, batch_size=4, output=one))
    arguments = [*TORCHRUN, "--config", config_file(**changes), "--batch-size", 2, "--save-minutes", 0]
    with started(arguments, two) as process:
        wait_for_step(two, 2, process)
        os.kill(rank_processes(process.pid)[1], signal.SIGKILL)
        _, err = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "Signal 9 (SIGKILL)" in err  # torchrun's words; it may end the other rank before that one notices
    reached = read_checkpoint(two / "last.pt")["step"]
    assert 1 <= reached < 6
    finish(arguments, two)
    assert [step for step, _ in curve(two)] == [1, 2, 3, 4, 5, 6]
    assert [loss for _, loss in curve(two)] == pytest.approx([loss for _, loss in curve(one)], rel=1e-4)
    scores = [
        [record for record in read_log(output / "log.jsonl") if record["event"] == "validation"]
        for output in (one, two)
    ]
    assert len(scores[0]) == len(scores[1]) == 3  # of the weights that it began with, and of two epochs
    for ours, theirs in zip(*scores, strict=True):
        assert theirs["frames"] == ours["frames"] > 0
        assert theirs["s_measure"] == pytest.approx(ours["s_measure"], rel=1e-3)


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
