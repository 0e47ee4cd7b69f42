"""Steps of a loop on a network of one number, so that each of them can be computed by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vsodtool.errors import UsageError
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.rcrnet.seeded_dropout import SeededDropout2d
from vsodtool.pipelines.training.batches import Batch
from vsodtool.pipelines.training.interrupt import StopRequest
from vsodtool.pipelines.training.loop import Loop, NotFiniteError, StepResult
from vsodtool.pipelines.training.processes import World
from vsodtool.pipelines.training.run import Plan
from vsodtool.pipelines.training.state import TrainState
from vsodtool.pipelines.training.task import Forward, Target, Task

CPU = torch.device("cpu")
PLAN = Plan(
    steps=3,
    steps_per_epoch=3,
    accumulate=1,
    learning_rate=0.5,
    warmup=0,
    schedule="constant",
    clip_gradient=0.0,
    precision=torch.float32,
)


class Weight(nn.Module):
    """x -> w x; the loss is the mean of what it says, so that the gradient of w is the mean of x."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.zeros(()))

    def forward(self, values: Tensor) -> Tensor:
        return values * self.w


def target(batch: Tensor) -> Target:
    ones = torch.ones_like(batch)
    return Target(ones, ones, batch.to(torch.uint8), ["v"], [("0",)])


TASK = Task(list, lambda batch, _: batch, target, lambda logits, labels, weights: logits.mean())


def batches(*values: float, seeds: list[int] | None = None) -> Iterator[Batch]:
    return (Batch(torch.full((1, 1, 1, 2, 2), value), seeds or []) for value in values)


def loop(plan: Plan, dropouts: Any = ()) -> tuple[Loop, TrainState]:
    network = Weight()
    state = TrainState(network, torch.optim.SGD(network.parameters(), lr=9.0), None)  # type: ignore[arg-type]
    forward = Forward(TASK, Preprocessing(), torch.float32)
    return Loop(forward, state, plan, World(0, 1, CPU), dropouts), state


def weight(state: TrainState) -> float:
    return float(state.network.w.detach())  # type: ignore[union-attr]


def run(plan: Plan, *values: float, stop: StopRequest | None = None) -> tuple[float, list[StepResult], bool]:
    results: list[StepResult] = []
    made, state = loop(plan)
    finished = made.run(batches(*values), stop or StopRequest(), results.append)
    return weight(state), results, finished


def test_steps_follow_the_gradient_at_the_rate_of_the_plan() -> None:
    found, results, finished = run(PLAN, 1.0, 2.0, 4.0)
    assert found == -0.5 * (1 + 2 + 4)
    assert finished
    assert [result.gradient for result in results] == [1, 2, 4]
    assert [result.rate for result in results] == [0.5, 0.5, 0.5]
    assert [result.loss for result in results] == [0, 2 * -0.5, 4 * -1.5]


def test_accumulated_parts_are_one_step_of_their_mean() -> None:
    found, results, _ = run(replace(PLAN, steps=1, accumulate=2), 1.0, 3.0)
    assert found == -0.5 * 2
    assert len(results) == 1


def test_gradients_are_clipped_only_where_the_plan_says_so() -> None:
    found, results, _ = run(replace(PLAN, steps=1, clip_gradient=0.5), 4.0)
    assert results[0].gradient == 4  # as it was
    assert found == pytest.approx(-0.5 * 0.5, rel=1e-5)


def test_the_rate_rises_and_falls_as_planned() -> None:
    plan = replace(PLAN, warmup=2, schedule="cosine")
    _, results, _ = run(plan, 1.0, 1.0, 1.0)
    assert [result.rate for result in results] == [plan.rate(step) for step in range(3)]
    assert results[0].rate < results[1].rate


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_ends_the_training_before_the_step(value: float) -> None:
    made, state = loop(PLAN)
    with pytest.raises(NotFiniteError, match=r"step 2: .*; the checkpoint of step 0 is kept") as caught:
        made.run(batches(1.0, value), StopRequest(), lambda _: None)
    assert isinstance(caught.value, UsageError)
    assert state.step == 1
    assert weight(state) == -0.5


def test_it_stops_after_the_step_in_which_it_was_asked() -> None:
    stop = StopRequest()
    stop.asked = True
    found, results, finished = run(PLAN, 1.0, 2.0, 4.0, stop=stop)
    assert (found, len(results), finished) == (-0.5, 1, False)
    _, _, finished = run(replace(PLAN, steps=1), 1.0, stop=stop)
    assert finished  # nothing was left to stop


def test_dropouts_get_the_seeds_of_the_samples() -> None:
    dropout = SeededDropout2d(0.5)
    made, _ = loop(replace(PLAN, steps=1), [dropout])
    made.run(batches(1.0, seeds=[3, 4]), StopRequest(), lambda _: None)
    assert dropout.seeds == [3, 4]
