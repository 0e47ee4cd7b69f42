"""What a run leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from vsodtool.config import TrainConfig
from vsodtool.media.training_run.folder import RunFolder, read_checkpoint
from vsodtool.media.training_run.log import read_log
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.pipelines.train import run_train
from vsodtool.pipelines.training.clips import IMAGE_TASK
from vsodtool.pipelines.training.datasets import Datasets
from vsodtool.pipelines.training.init import start_network
from vsodtool.pipelines.training.interrupt import StopRequest
from vsodtool.pipelines.training.loop import StepResult
from vsodtool.pipelines.training.processes import World
from vsodtool.pipelines.training.recorder import Recorder, _duration
from vsodtool.pipelines.training.run import Plan, Training
from vsodtool.pipelines.training.state import create_state
from vsodtool.pipelines.training.task import Forward
from vsodtool.pipelines.training.validate import Validation
from vsodtool.types import Event, ignore_event

MakeConfig = Callable[..., TrainConfig]


def test_trained_weights_say_what_readers_of_safetensors_ask_for(config: MakeConfig, tmp_path: Path) -> None:
    run_train(config(kind="image", epochs=1, steps_per_epoch=1))
    for name in ("best", "final"):
        with safe_open(tmp_path / f"run/{name}.safetensors", framework="pt") as file:
            metadata = file.metadata()
        assert metadata["format"] == "pt"
        assert {"architecture", "preprocessing", "training", "vsodtool"} <= metadata.keys()


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.4, "0 s"), (59.4, "59 s"), (61, "1 min 01 s"), (3599.6, "1 h 00 min"), (7980, "2 h 13 min")],
)
def test_durations_are_for_people(seconds: float, expected: str) -> None:
    assert _duration(seconds) == expected


class Scripted:
    """A validator whose scores are given."""

    def __init__(self, *scores: float) -> None:
        self._scores = list(scores)
        self.forward = Forward(IMAGE_TASK, Preprocessing(size=64), torch.float32)

    def __call__(self, network: object, stop: StopRequest) -> Validation:
        score = self._scores.pop(0)
        return Validation({"s_measure": score, "j": score, "mae": 1 - score, "loss": 1.0}, 3)


def test_the_best_weights_are_kept_and_every_epoch_is_told(config: MakeConfig, tmp_path: Path) -> None:
    settings = config(kind="image", epochs=3, steps_per_epoch=2, save_minutes=1e6)
    folder, said = RunFolder(tmp_path / "run"), list[Event]()
    folder.root.mkdir()
    world = World(0, 1, torch.device("cpu"))
    data = Datasets([0] * 4, [0])  # type: ignore[arg-type]
    training = Training(settings, folder, world, data, Plan.of(settings, 4, world), said.append)
    state = create_state(settings, start_network(settings, ignore_event).network)
    recorder = Recorder(training, state, Scripted(0.5, 0.9, 0.7), StopRequest())  # type: ignore[arg-type]
    recorder.begin()
    assert read_checkpoint(folder.last)["step"] == 0
    kept = []
    for step in range(1, 7):
        state.step, state.seconds = step, float(step)
        recorder.after_step(StepResult(0.25, 1.0, 1e-3, 1.0, 0.1))
        kept.append(folder.best.read_bytes() if folder.best.exists() else b"")
    recorder.finish()
    recorder.close()
    assert kept[0] == b""
    assert kept[1] != kept[3] == kept[5]  # after the second epoch, and not after the third
    assert (state.best_step, state.best_score) == (4, 0.9)
    assert read_checkpoint(folder.last)["samples_per_step"] == settings.batch_size
    events = [record["event"] for record in read_log(folder.log)]
    assert events == ["begin", *["step", "step", "validation"] * 3]
    best = [record["best"] for record in read_log(folder.log) if record["event"] == "validation"]
    assert best == [True, True, False]
    news = [event.message for event in said if event.kind == "notice"]
    assert news[0].startswith("epoch 1/3: loss 0.2500, validation loss 1.0000, S 0.5000")
    assert "best so far; 4 s left" in news[0]
    assert "best s_measure 0.9000 at step 4" in news[2]
