"""What a training continues from: there and back, and nothing of it is believed."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings

from tests.damage import Damage, damages
from vsodtool.config import TrainConfig
from vsodtool.errors import ConfigError, WeightsError
from vsodtool.media.training_run.folder import read_checkpoint, write_checkpoint
from vsodtool.models.weights.networks import create_network
from vsodtool.pipelines.training.init import start_network
from vsodtool.pipelines.training.judging.verdict import Judgement
from vsodtool.pipelines.training.kinds import architecture_of
from vsodtool.pipelines.training.state import TrainState, create_state
from vsodtool.types import ignore_event

MakeConfig = Callable[..., TrainConfig]


@pytest.fixture
def state(config: MakeConfig) -> TrainState:
    settings = config(kind="image")
    made = create_state(settings, start_network(settings, ignore_event).network)
    made.network(torch.rand(2, 3, 64, 64)).sum().backward()
    made.optimizer.step()
    assert made.ema is not None
    made.ema.update(made.network, 1)
    made.step, made.validated, made.best_step, made.best_score = 3, 2, 2, 0.75
    made.scores, made.seconds = {"j": 0.5}, 1.5
    return made


@pytest.fixture
def fresh(config: MakeConfig) -> TrainState:
    settings = config(kind="image", seed=9)
    return create_state(settings, start_network(settings, ignore_event).network)


def same(first: Any, second: Any) -> bool:
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[name], second[name]) for name in first)
    if isinstance(first, list):
        return len(first) == len(second) and all(map(same, first, second))
    return bool(first == second)


def test_everything_comes_back(state: TrainState, fresh: TrainState, tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "last.pt", state.as_dict())
    fresh.restore(read_checkpoint(tmp_path / "last.pt"), "last.pt")
    assert same(fresh.as_dict(), state.as_dict())
    assert fresh.saved == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("step", "x"),
        ("step", -5),
        ("step", 3.0),
        ("step", True),
        ("step", None),
        ("validated", -1),
        ("best_step", -2),
        ("best_score", "good"),
        ("best_score", math.inf),
        ("seconds", [1]),
        ("scores", 5),
        ("scores", {"j": "x"}),
        ("network", 5),
        ("network", {}),
        ("ema", None),
        ("optimizer", {}),
        ("optimizer", {"state": {}, "param_groups": [{}]}),
        ("optimizer", {"state": {}, "param_groups": 7}),
        ("architecture", "video"),
    ],
)
def test_absurd_values_are_refused_in_one_line(
    state: TrainState, fresh: TrainState, name: str, value: object
) -> None:
    with pytest.raises(WeightsError, match=r"last\.pt") as caught:
        fresh.restore({**state.as_dict(), name: value}, "last.pt")
    assert caught.value.exit_code == 4
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 400


def test_moments_of_another_shape_are_refused(state: TrainState, fresh: TrainState) -> None:
    content = copy.deepcopy(state.as_dict())
    content["optimizer"]["state"][0]["exp_avg"] = torch.zeros(3, 3)
    with pytest.raises(WeightsError, match="exp_avg does not belong to a parameter"):
        fresh.restore(content, "last.pt")


def test_rates_and_decays_are_those_of_the_options(state: TrainState, fresh: TrainState) -> None:
    content = copy.deepcopy(state.as_dict())
    for group in content["optimizer"]["param_groups"]:
        group.update(lr="x", betas=(5, 5), weight_decay=-1)
    fresh.restore(content, "last.pt")
    assert [group["betas"] for group in fresh.optimizer.param_groups] == [(0.9, 0.999)] * 2


@pytest.mark.parametrize(("best_by", "better"), [("s_measure", 0.8), ("j", 0.8), ("mae", 0.7)])
def test_better_is_higher_but_for_errors(state: TrainState, best_by: str, better: float) -> None:
    for score in (0.75, math.nan):
        assert not state.judge(Judgement({best_by: score}, {}), best_by)
    assert state.judge(Judgement({best_by: better}, {}), best_by)
    assert state.best_score == better
    state.best_score = math.nan
    assert state.judge(Judgement({best_by: 0.1}, {}), best_by)


def test_the_running_mean_forgets_its_beginning_quickly(state: TrainState) -> None:
    assert state.ema is not None
    with torch.no_grad():
        for value in state.network.parameters():
            value.fill_(1.0)
        for value in state.ema.network.parameters():
            value.fill_(0.0)
    state.ema.update(state.network, 1)  # decay (1 + 1) / (10 + 1)
    values = next(state.ema.network.parameters())
    torch.testing.assert_close(values, torch.full_like(values, 1 - 2 / 11))
    assert state.judged is state.ema.network


@settings(max_examples=20, deadline=None)
@given(damage=damages())
def test_a_damaged_checkpoint_is_read_or_refused(
    damage: Damage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("checkpoint") / "last.pt"
    write_checkpoint(path, {"network": {"w": torch.ones(8)}, "step": 3, "scores": {"j": 0.5}})
    path.write_bytes(damage.of(path.read_bytes()))
    with suppress(WeightsError):
        read_checkpoint(path)


def test_a_share_of_the_change_is_kept(config: MakeConfig) -> None:
    settings = config(init="x.safetensors", batch_norm="frozen", blend=0.25, ema=0.0)
    network = create_network(architecture_of(settings))
    made = create_state(settings, network)
    before = {name: value.detach().clone() for name, value in network.named_parameters()}
    with torch.no_grad():
        for value in network.parameters():
            value.add_(1.0)
    for name, value in made.judged.named_parameters():
        torch.testing.assert_close(value, before[name] + 0.25)
    again = create_state(settings, create_network(architecture_of(settings)))
    again.restore(made.as_dict(), "last.pt")
    for name, value in again.judged.named_parameters():
        torch.testing.assert_close(value, before[name] + 0.25)


@pytest.mark.parametrize(("videos", "expected"), [(1, 0.25), (2, 0.5), (4, 1.0), (0, 1.0)])
def test_fewer_videos_change_less(config: MakeConfig, videos: int, expected: float) -> None:
    settings = config(init="x.safetensors", batch_norm="frozen", blend=0.0)
    made = create_state(settings, create_network(architecture_of(settings)), videos=videos)
    assert made.blend == expected
    assert bool(made.anchor) == (expected < 1)


def test_statistics_that_learn_cannot_be_averaged(config: MakeConfig) -> None:
    with pytest.raises(ConfigError, match=r"blend: expected 1 where batch norms learn, found 0\.5"):
        config(blend=0.5)
