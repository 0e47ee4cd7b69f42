"""The loop of a training and its batches: in the order of the run from any step on, and what a step takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from vsodtool.config import TrainConfig
from vsodtool.media.training_run.folder import RunFolder
from vsodtool.pipelines.training.init import StartNetwork, place, start_network
from vsodtool.pipelines.training.interrupt import StopRequest
from vsodtool.pipelines.training.kinds import open_datasets
from vsodtool.pipelines.training.processes import World
from vsodtool.pipelines.training.run import Plan, Training
from vsodtool.pipelines.training.state import create_state
from vsodtool.pipelines.training.steps import open_steps, seconds_of_step
from vsodtool.types import ignore_event

MakeConfig = Callable[..., TrainConfig]


def begun(config: TrainConfig, tmp_path: Path) -> tuple[Training, StartNetwork]:
    world, folder = World(0, 1, torch.device("cpu")), RunFolder(config.output)
    data = open_datasets(config, folder, ignore_event, cache=tmp_path / "cache")
    plan = Plan.of(config, len(data.train), world)
    return Training(config, folder, world, data, plan, ignore_event), start_network(config, ignore_event)


def samples(training: Training, start: StartNetwork, first: int, count: int) -> list[torch.Tensor]:
    """What the network sees from a step on."""
    state = create_state(training.config, start.network, videos=training.data.videos)
    state.step = first
    with open_steps(training, start, state, training.plan, workers=0) as (_, batches):
        return [next(batches).data.images for _ in range(count)]


def test_a_run_that_goes_on_sees_what_it_would_have_seen(config: MakeConfig, tmp_path: Path) -> None:
    training, start = begun(config(steps_per_epoch=6, epochs=1, accumulate=1), tmp_path)
    whole = samples(training, start, 0, 6)
    later = samples(training, start, 4, 2)
    assert all(torch.equal(*pair) for pair in zip(whole[4:], later, strict=True))
    assert not torch.equal(whole[0], whole[1])


def test_the_loop_ends_with_the_plan(config: MakeConfig, tmp_path: Path) -> None:
    training, start = begun(config(steps_per_epoch=3, epochs=1), tmp_path)
    place(start.network, training.world.device)
    state = create_state(training.config, start.network, videos=training.data.videos)
    taken = []
    with open_steps(training, start, state, training.plan, workers=0) as (loop, batches):
        loop.run(batches, StopRequest(), taken.append)
    assert (state.step, len(taken)) == (3, 3)


@pytest.mark.parametrize("steps", [1, 5])
def test_a_few_steps_tell_how_long_one_takes(steps: int, config: MakeConfig, tmp_path: Path) -> None:
    training, start = begun(config(steps_per_epoch=steps, epochs=1), tmp_path)
    before = [parameter.detach().clone() for parameter in start.network.parameters()]
    assert seconds_of_step(training, start) > 0
    after = list(start.network.parameters())
    assert not all(torch.equal(*pair) for pair in zip(before, after, strict=True))  # it is spoilt by it
    assert not training.folder.root.exists()  # and nothing is written
