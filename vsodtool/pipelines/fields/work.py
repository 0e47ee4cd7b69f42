"""Decode, compute, write: the pairs of one video through a few threads, with a bounded number in flight."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vsodtool.config.schema import FlowConfig
from vsodtool.media.flow.files import write_flow
from vsodtool.media.flow.picture import write_flow_picture
from vsodtool.media.video.frames import FrameSource
from vsodtool.models.flow.registry import BACKENDS
from vsodtool.pipelines.fields.pairs import FORWARD, FlowTask, stream_pairs
from vsodtool.types import FlowEstimator, Frame

if TYPE_CHECKING:
    from torch import Tensor


_PIXELS_PER_CALL = 4 * 854 * 480  # what a GPU needs to be busy; RAFT's memory grows faster than the pixels


@dataclass(frozen=True)
class Engine:
    """An estimator and how to keep it busy.

    Attributes:
        estimator: called from several threads at once.
        threads: number of those.
        batched: give it several pairs in one call (a GPU), or one pair each (the cores of a CPU).
    """

    estimator: FlowEstimator
    threads: int
    batched: bool = False

    @classmethod
    def for_backend(cls, estimator: FlowEstimator, backend: str, workers: int) -> Engine:
        """One pair per core; a batched one uses all by itself, and one call computes while another writes.

        Args:
            estimator: what computes.
            backend: a name of `BACKENDS`, or that of an estimator of the caller's own.
            workers: cores.
        """
        line = BACKENDS.get(backend)
        batched = line is not None and line.batched
        return cls(estimator, threads=min(2, workers) if batched else workers, batched=batched)


Pair = tuple[Frame, Frame, list[FlowTask]]


def compute_flows(
    config: FlowConfig,
    source: FrameSource,
    tasks: Sequence[FlowTask],
    engine: Engine,
    *,
    advance: Callable[[int], None],
) -> None:
    """Stream `source` once and write every flow of `tasks` whose two frames decode.

    Args:
        config: step and format count.
        source: the video; its `losses` are complete afterwards.
        tasks: the flows to compute.
        engine: what computes them.
        advance: called with the number of flows just finished, from the calling thread.

    Raises:
        DataError: nothing in the video decodes.
        DeviceError: a file cannot be written.
    """
    by_first: dict[int, list[FlowTask]] = {}
    for task in tasks:
        by_first.setdefault(task.first, []).append(task)
    running: deque[Future[int]] = deque()
    pool = ThreadPoolExecutor(engine.threads, thread_name_prefix="flow")
    try:
        for pairs in _batches(source, config.step, by_first, engine.batched):
            running.append(pool.submit(_compute, engine.estimator, config.format, pairs))
            while len(running) > 2 * engine.threads or (running and running[0].done()):
                advance(running.popleft().result())
        while running:
            advance(running.popleft().result())
    finally:
        # After an error or Ctrl-C: what is running ends, what waits is dropped, what is written stays.
        pool.shutdown(cancel_futures=True)


def _batches(
    source: FrameSource, step: int, by_first: dict[int, list[FlowTask]], batched: bool
) -> Iterator[list[Pair]]:
    """The pairs that have something to compute, one by one or several at a time."""
    batch: list[Pair] = []
    for first, second in stream_pairs(source, step):
        wanted = by_first.get(first.index)
        if not wanted:
            continue
        batch.append((first, second, wanted))
        height, width = first.rgb.shape[:2]
        if not batched or (len(batch) + 1) * height * width > _PIXELS_PER_CALL:
            yield batch
            batch = []
    if batch:
        yield batch


def _compute(estimator: FlowEstimator, format: str, pairs: list[Pair]) -> int:
    """All wanted flows of some pairs, in one call of the estimator; returns their number."""
    import torch

    tasks, starts, ends = [], [], []
    for first, second, wanted in pairs:
        images = _tensor(first), _tensor(second)
        for task in wanted:
            start, end = images if task.direction == FORWARD else images[::-1]
            tasks.append(task)
            starts.append(start)
            ends.append(end)
    flows = estimator.estimate(torch.cat(starts), torch.cat(ends)).cpu().numpy()
    for task, flow in zip(tasks, flows, strict=True):
        vectors = np.ascontiguousarray(flow.transpose(1, 2, 0))
        if task.preview is not None:
            write_flow_picture(task.preview, vectors)
        write_flow(task.flow, vectors, format)
    return len(tasks)


def _tensor(frame: Frame) -> Tensor:
    """Frame -> float32 (1, 3, H, W) in [0, 1]. In numpy: torch's threads would fight those of the pool."""
    import torch

    return torch.from_numpy(np.multiply(frame.rgb.transpose(2, 0, 1), np.float32(1 / 255))[None])
