"""What a run leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from vsodtool.config import TrainConfig
from vsodtool.data.sources.validation_split import Scope
from vsodtool.media.training_run.folder import RunFolder, read_checkpoint
from vsodtool.media.training_run.log import read_log
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.weights.networks import create_network
from vsodtool.pipelines.train import run_train
from vsodtool.pipelines.training.clips import IMAGE_TASK
from vsodtool.pipelines.training.datasets import Datasets
from vsodtool.pipelines.training.init import start_network
from vsodtool.pipelines.training.interrupt import StopRequest
from vsodtool.pipelines.training.judging.doubt import NO_DOUBT, Doubt
from vsodtool.pipelines.training.judging.validate import Validation
from vsodtool.pipelines.training.kinds import architecture_of
from vsodtool.pipelines.training.loop import StepResult
from vsodtool.pipelines.training.processes import World
from vsodtool.pipelines.training.recorder import Recorder, _duration
from vsodtool.pipelines.training.run import Plan, Training
from vsodtool.pipelines.training.state import TrainState, create_state
from vsodtool.pipelines.training.task import Forward
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

    def __init__(self, *scores: float, apart: float = 0.0) -> None:
        self._scores, self._apart = list(scores), apart
        self.forward = Forward(IMAGE_TASK, Preprocessing(size=64), torch.float32)

    def __call__(self, network: object, stop: StopRequest) -> Validation:
        score = self._scores.pop(0)
        self._apart = -self._apart  # which half is the better one changes each time
        halves = {f"v/{half}": _scores(score + (half - 0.5) * self._apart) for half in range(2)}
        return Validation(_scores(score), 3, halves=halves)


def _scores(score: float) -> dict[str, float]:
    return {"s_measure": score, "j": score, "mae": 1 - score, "loss": 1.0}


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


@pytest.fixture
def record(config: MakeConfig, tmp_path: Path) -> Callable[..., tuple[TrainState, RunFolder, list[str]]]:
    """One step for each score but the first, which is that of whole weights to begin with."""

    def run(
        *scores: float, apart: float = 0.0, doubt: Doubt = NO_DOUBT
    ) -> tuple[TrainState, RunFolder, list[str]]:
        settings = config(kind="image", epochs=len(scores) - 1, steps_per_epoch=1, init="start.safetensors")
        folder, said = RunFolder(tmp_path / "run"), list[Event]()
        folder.root.mkdir()
        world = World(0, 1, torch.device("cpu"))
        data = Datasets([0] * 4, [0], Scope.SAME_VIDEOS, doubt=doubt)  # type: ignore[arg-type]
        training = Training(settings, folder, world, data, Plan.of(settings, 4, world), said.append)
        state = create_state(settings, create_network(architecture_of(settings)))
        state.whole = True
        validator = Scripted(*scores, apart=apart)
        recorder = Recorder(training, state, validator, StopRequest())  # type: ignore[arg-type]
        recorder.begin()
        with torch.no_grad():
            state.judged.get_parameter("decoder.logit.bias").fill_(9)
        for step in range(1, len(scores)):
            state.step = step
            recorder.after_step(StepResult(0.25, 1.0, 1e-3, 1.0, 0.1))
        recorder.finish()
        recorder.close()
        return state, folder, [event.message for event in said if event.kind == "notice"]

    return run


Record = Callable[..., tuple[TrainState, RunFolder, list[str]]]


def test_where_it_began_is_the_best_if_training_did_not_pay(record: Record) -> None:
    state, folder, said = record(0.9, 0.8, 0.85)
    assert (state.best_step, state.best_score) == (0, 0.9)
    assert state.start is not None
    bias = load_file(folder.best)["decoder.logit.bias"]
    assert float(bias) != 9 == float(load_file(folder.final)["decoder.logit.bias"])
    records = [line for line in read_log(folder.log) if line["event"] == "validation"]
    assert [(line["epoch"], line["step"], line["best"]) for line in records] == [
        (0, 0, True), (1, 1, False), (2, 2, False)
    ]  # fmt: skip
    assert said[0].startswith("epoch 0/2: validation loss 1.0000, S 0.9000")
    assert said[-3] == (
        "training did not pay on this split (other frames of the same videos): s_measure 0.8500 at best, "
        "after step 2, 0.9000 where it began: -0.0500 give or take 0.0000"
    )
    assert said[-2].endswith("run/best.safetensors is what it began with")
    assert said[-1].endswith("until then predict as before: --weights start.safetensors")


def test_a_validation_that_was_quicker_than_the_one_before_is_an_epoch_of_its_own(
    config: MakeConfig, tmp_path: Path
) -> None:
    settings = config(kind="image", epochs=3, minutes=1.5)
    folder, said = RunFolder(tmp_path / "run"), list[Event]()
    folder.root.mkdir()
    world = World(0, 1, torch.device("cpu"))
    data = Datasets([0] * 4, [0])  # type: ignore[arg-type]
    training = Training(settings, folder, world, data, Plan.of(settings, 4, world), said.append)
    state = create_state(settings, create_network(architecture_of(settings)))
    recorder = Recorder(training, state, Scripted(0.5, 0.6, 0.7), StopRequest())  # type: ignore[arg-type]
    recorder.begin()
    for step, seconds in enumerate((12.0, 45.0, 75.0), 1):
        state.step, state.seconds, state.reserve = step, seconds, 20.0  # the one before took so long
        recorder.after_step(StepResult(0.25, 1.0, 1e-3, 1.0, 0.1))
    recorder.close()
    news = [event.message.split(":")[0] for event in said if event.kind == "notice"]
    assert news == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]


def test_what_hangs_on_the_half_of_the_frames_is_not_better(record: Record) -> None:
    state, _, said = record(0.80, 0.82, 0.79, apart=0.03)  # in one half 0.035 better, in the other 0.01 worse
    assert state.best_step == 0
    assert said[-3].endswith("0.8000 where it began: +0.0200 give or take 0.0300")


def test_the_last_line_names_the_file_and_both_scores(record: Record) -> None:
    state, folder, said = record(0.80, 0.86, 0.84)
    assert (state.best_step, state.best_score) == (1, 0.86)
    assert float(load_file(folder.best)["decoder.logit.bias"]) == 9
    assert said[-1] == (
        f"use {folder.best}: s_measure 0.8600, 0.8000 where it began: better by 0.0600 give or take 0.0000; "
        "this speaks for other frames of the same videos"
    )


def test_later_weights_that_are_better_by_chance_only_have_forgotten_for_nothing(record: Record) -> None:
    state, folder, said = record(
        0.80, 0.86, 0.87, apart=0.04
    )  # .03 better in one half, .05 worse in the other
    assert (state.best_step, state.best_score) == (1, 0.86)
    assert state.nearest is not None
    assert (state.nearest.step, state.nearest.score) == (1, 0.86)
    assert f"use {folder.best}: s_measure 0.8600, 0.8000 where it began: better by 0.0600" in said[-1]


def test_slow_progress_adds_up_until_it_is_sure(record: Record) -> None:
    state, _, _ = record(0.80, 0.86, 0.87, 0.91, apart=0.04)
    assert (state.best_step, state.best_score) == (3, 0.91)


def test_labels_that_do_not_fit_prove_nothing(record: Record) -> None:
    state, folder, said = record(0.40, 0.86, 0.84, doubt=Doubt(("a", "b"), 2))
    assert (state.best_step, state.best_score) == (0, 0.40)
    assert float(load_file(folder.best)["decoder.logit.bias"]) != 9
    assert said[-3] == (
        "the masks of a, b do not fit their frames, so that no score against them proves anything: "
        f"{folder.best} is what it began with"
    )


def test_a_checkpoint_keeps_what_the_start_was_worth(record: Record, config: MakeConfig) -> None:
    state, folder, _ = record(0.80, 0.86, 0.84, apart=0.02)
    settings = config(kind="image", epochs=2, steps_per_epoch=1)
    again = create_state(settings, create_network(architecture_of(settings)))
    again.restore(read_checkpoint(folder.last), "last.pt")
    assert (again.whole, again.start, again.nearest) == (True, state.start, state.nearest)
    assert again.best == state.best is not None
