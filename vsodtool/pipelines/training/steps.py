"""The steps of a training: batches in their order, and the loop that learns from them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

from vsodtool.ops.sampling.sample_order import SampleOrder
from vsodtool.pipelines.training.batches import Batch, read_batches
from vsodtool.pipelines.training.frozen import FrozenEncoder, Memory
from vsodtool.pipelines.training.init import StartNetwork, place, preprocessing_of
from vsodtool.pipelines.training.interrupt import StopRequest
from vsodtool.pipelines.training.kinds import task_of
from vsodtool.pipelines.training.loop import Loop
from vsodtool.pipelines.training.run import Plan, Training
from vsodtool.pipelines.training.state import TrainState, create_state
from vsodtool.pipelines.training.task import Forward

_TRIED = 3  # steps that are done to know how long one takes; the first is slower than the others


@contextmanager
def open_steps(
    training: Training, start: StartNetwork, state: TrainState, plan: Plan, *, workers: int
) -> Iterator[tuple[Loop, Iterator[Batch]]]:
    """The loop, and the batches of the steps from `state.step` on.

    Args:
        training: of which they are.
        start: the network, placed where it computes.
        state: changed by every step.
        plan: how long and how fast.
        workers: processes that read samples; 0: none but this one.
    """
    config, world, data = training.config, training.world, training.data
    forward = forward_of(training)
    keys = SampleOrder(len(data.train), config.seed).parts(
        range(state.step, plan.steps or sys.maxsize),
        batch=config.batch_size,
        accumulate=config.accumulate,
        rank=world.rank,
        ranks=world.size,
    )
    if config.variants:
        keys = ([(number % config.variants, index) for number, index in part] for part in keys)
    frozen = None
    if config.freeze_encoder:
        frozen = FrozenEncoder(start.network, Memory() if config.variants else None)
    batches = read_batches(
        data.train, keys, forward.task.collate, seed=config.seed, workers=workers, device=world.device
    )
    with closing(batches):
        yield Loop(forward, state, plan, world, start.dropouts, frozen=frozen), batches


def forward_of(training: Training) -> Forward:
    """Batches through the network."""
    config = training.config
    return Forward(task_of(config), preprocessing_of(config), training.plan.precision)


def seconds_of_step(training: Training, start: StartNetwork) -> float:
    """How long a step takes: a few are done on the network, which is spoilt by it; nothing is written.

    Args:
        training: of one process, whose plan counts steps.
        start: the network.
    """
    plan = replace(training.plan, steps=min(_TRIED, training.plan.steps))
    place(start.network, training.world.device)
    state = create_state(training.config, start.network, videos=training.data.videos)
    taken: list[float] = []
    with open_steps(training, start, state, plan, workers=0) as (loop, batches):
        loop.run(batches, StopRequest(), lambda result: taken.append(result.seconds))
    return min(taken)
