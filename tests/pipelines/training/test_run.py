"""What is known of a run before its first step, and how it begins or is continued."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml

from vsodtool.config import TrainConfig
from vsodtool.errors import ConfigError, DataError, DeviceError, UsageError
from vsodtool.media.output.manifest import COMPLETE, read_manifest
from vsodtool.media.training_run.folder import RunFolder
from vsodtool.pipelines.training.datasets import Datasets
from vsodtool.pipelines.training.processes import World
from vsodtool.pipelines.training.run import (
    Plan,
    Training,
    begin,
    check_batch,
    describe,
    is_begun,
    keep_manifest,
)
from vsodtool.types import Event

MakeConfig = Callable[..., TrainConfig]
CPU = torch.device("cpu")


def test_an_epoch_is_once_through_the_data_unless_its_steps_are_given(config: MakeConfig) -> None:
    settings = config(steps_per_epoch=0, epochs=2, batch_size=2, accumulate=2)
    plan = Plan.of(settings, 17, World(0, 1, CPU))
    assert (plan.steps_per_epoch, plan.steps) == (4, 8)  # 17 samples, 4 a step
    assert Plan.of(settings, 17, World(1, 2, CPU)).steps_per_epoch == 2
    given = Plan.of(replace(settings, steps_per_epoch=7), 17, World(0, 1, CPU))
    assert (given.steps_per_epoch, given.steps) == (7, 14)


def test_rates_begin_with_the_warm_up(config: MakeConfig) -> None:
    plan = Plan.of(config(warmup=2, schedule="constant", learning_rate=0.5), 4, World(0, 1, CPU))
    assert plan.rate(0) < plan.rate(1) <= plan.rate(2) == 0.5


def test_minutes_decide_instead_of_steps(config: MakeConfig) -> None:
    settings = config(minutes=2, epochs=4, warmup=2, schedule="cosine", learning_rate=0.5)
    plan = Plan.of(settings, 4, World(0, 1, CPU))
    assert (plan.steps, plan.seconds, str(plan)) == (0, 120, "2 minutes")
    assert [plan.share(9, seconds) for seconds in (0, 30, 120, 500)] == [0, 0.25, 1, 1]
    assert [plan.epochs_done(9, seconds) for seconds in (0, 29.9, 30, 119.9, 120)] == [0, 0, 1, 3, 4]
    assert plan.rate(0, 0.0) == 0.25  # the first of two steps of warm-up
    assert plan.rate(9, 60.0) == pytest.approx(0.25)  # half of the cosine
    assert 0 < plan.rate(9, 500.0) < 2e-4
    assert plan.share(0, 500) == 0  # one step is done in any case


def test_a_run_is_begun_once_its_first_checkpoint_is_there(config: MakeConfig) -> None:
    settings = config()
    folder = RunFolder(settings.output)
    assert not is_begun(settings, folder)
    begin(settings, folder)
    assert yaml.safe_load(folder.config.read_text())["kind"] == "video"
    assert not is_begun(settings, folder)
    folder.last.touch()
    assert is_begun(settings, folder)
    assert is_begun(replace(settings, workers=5, save_minutes=0.5), folder)
    with pytest.raises(UsageError, match=r"seed was 0, now 3 \(and 1 more\)"):
        is_begun(replace(settings, seed=3, ema=0.5), folder)
    assert not is_begun(replace(settings, seed=3, overwrite=True), folder)
    with pytest.raises(ConfigError, match=r"--resume: .* holds no training run"):
        is_begun(replace(settings, output=settings.output / "other", resume=True), RunFolder(Path("other")))


def test_a_step_must_keep_its_samples() -> None:
    check_batch({"samples_per_step": 8}, 8)
    check_batch({}, 8)
    with pytest.raises(ConfigError, match=r"a step of this run has 8 samples, now .* = 6"):
        check_batch({"samples_per_step": 8}, 6)


def test_other_data_than_the_run_began_with_are_refused(config: MakeConfig) -> None:
    settings = config()
    folder = RunFolder(settings.output)
    first = describe(settings, "fingerprint", 12, {"w.pth": "ab"})
    assert keep_manifest(folder, first, continued=False) == first
    again = keep_manifest(folder, describe(settings, "fingerprint", 12, {}), continued=True)
    assert again.weights == {"w.pth": "ab"}  # what it began with
    with pytest.raises(DataError, match="the training data changed since"):
        keep_manifest(folder, describe(settings, "other", 12, {}), continued=True)


def test_the_folder_is_held_while_the_run_writes_there(config: MakeConfig) -> None:
    settings = config()
    folder, said = RunFolder(settings.output), list[Event]()
    world = World(0, 1, CPU)
    data = Datasets([1, 2, 3], [4], fingerprint="f")  # type: ignore[arg-type]
    training = Training(settings, folder, world, data, Plan.of(settings, 3, world), said.append)
    training.say("something")
    assert [event.message for event in said] == ["something"]
    assert training.samples_per_step == settings.batch_size * settings.accumulate
    with training.owned({}, continued=False):
        manifest = read_manifest(folder.manifest)
        assert manifest is not None
        assert manifest.status != COMPLETE
        assert folder.lock.exists()
        with pytest.raises(DeviceError, match="another run"), training.owned({}, continued=False):
            pass
    manifest = read_manifest(folder.manifest)
    assert manifest is not None
    assert manifest.status == COMPLETE
    assert not folder.lock.exists()
    other = replace(training, world=World(1, 2, CPU), folder=RunFolder(settings.output / "never"))
    with other.owned({}, continued=False):  # the first process does it for all
        assert not other.folder.root.exists()
