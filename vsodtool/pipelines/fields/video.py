"""One video through `flow`: which pairs; decode, compute, write, with a bounded number in flight."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vsodtool.config import FlowConfig
from vsodtool.media.flow.files import write_flow
from vsodtool.media.flow.picture import write_flow_picture
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.video.frames import FrameSource
from vsodtool.models.flow.registry import BACKENDS
from vsodtool.pipelines.running.lost import lost_frames, refuse_unmade
from vsodtool.pipelines.running.reports import Outcome, VideoReport
from vsodtool.pipelines.running.runs import tell_losses, tell_notes
from vsodtool.pipelines.running.video_state import VideoState
from vsodtool.types import Event, FlowEstimator, Frame, OnEvent

if TYPE_CHECKING:
    from torch import Tensor

FORWARD, BACKWARD = "forward", "backward"
_PIXELS_PER_CALL = 4 * 854 * 480  # what a GPU needs to be busy; RAFT's memory grows faster than the pixels


@dataclass(frozen=True)
class FlowTask:
    """One flow to compute.

    Attributes:
        first: position of the earlier frame of the pair; the other is `step` frames later.
        direction: forward (earlier to later) or backward.
        flow: the flow file, named after the frame that the flow starts from.
        preview: its picture, None if none is wanted.
    """

    first: int
    direction: str
    flow: Path
    preview: Path | None

    @property
    def files(self) -> list[Path]:
        """What it writes."""
        return [self.flow] if self.preview is None else [self.flow, self.preview]


@dataclass(frozen=True)
class FlowVideoReport(VideoReport):
    """What became of one video.

    Attributes:
        name: of the video.
        frames: that the video announces.
        flows: computed by this run (in a dry run: that would be computed).
        reused: there already, from an earlier run.
        missing: not computed, because a frame did not decode.
        seconds: spent on it.
    """

    flows: int
    reused: int
    missing: int
    seconds: float


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


def plan_video(video: str, names: Sequence[str], config: FlowConfig, layout: OutputLayout) -> list[FlowTask]:
    """All flows of one video, in the order in which its frames come.

    Args:
        video: name of the video.
        names: names of its frames, in order.
        config: direction, step, format and preview count.
        layout: where the files go.
    """
    directions = [FORWARD, BACKWARD] if config.direction == "both" else [config.direction]
    tasks = []
    for first in range(max(0, len(names) - config.step)):
        for direction in directions:
            stem = names[first if direction == FORWARD else first + config.step]
            preview = layout.preview(video, stem, direction) if config.preview else None
            flow = layout.flow(video, stem, direction, config.format)
            tasks.append(FlowTask(first, direction, flow, preview))
    return tasks


def run_video(
    config: FlowConfig,
    source: FrameSource,
    tasks: Sequence[FlowTask],
    engine: Engine,
    *,
    state: VideoState,
    on_event: OnEvent,
) -> Outcome[FlowVideoReport]:
    """Compute those flows of a video that are not there yet, or not as they were written.

    Raises:
        DataError: nothing in the video decodes.
        DeviceError: a file cannot be written.
        VsodtoolError: there is no flow between two frames that decode.
    """
    started = time.perf_counter()
    video = source.video.name
    wanted = [task for task in tasks if not all(map(state.holds, task.files))]
    reused = len(tasks) - len(wanted)
    on_event(Event("video", video, done=reused, total=len(tasks)))
    if not tasks:
        text = f"no flow: it has {count(len(source.names), 'frame')}, and --step is {config.step}"
        on_event(Event("warning", video, text))
    done = 0

    def advance(flows: int) -> None:
        nonlocal done
        done += flows
        on_event(Event("frame", video, done=reused + done, total=len(tasks)))

    losses: list[str] = []
    if wanted or (tasks and source.is_cut):  # what was lost is told by every run
        tell_notes(source, on_event)
        made: list[Path] = []

        def wrote(paths: Iterable[Path]) -> None:
            files = list(paths)
            state.wrote(files)
            made.extend(files)

        compute_flows(config, source, wanted, engine, wrote=wrote, advance=advance)
        losses = tell_losses(source, on_event)
        _check_missing(source, config.step, wanted, frozenset(made))
    missing, seconds = len(wanted) - done, time.perf_counter() - started
    report = FlowVideoReport(video, len(source.names), done, reused, missing, seconds)
    on_event(Event("done", video, _sentence(report), done=reused + done, total=len(tasks)))
    counts = {"frames": report.frames, "flows": done + reused, "missing": missing}
    return Outcome(report, losses, counts=counts)


def _check_missing(
    source: FrameSource, step: int, wanted: Sequence[FlowTask], made: Collection[Path]
) -> None:
    """Require that of each pair without a flow a frame was lost; all frames have come by.

    Raises:
        VsodtoolError: neither was.
    """
    lost, names = lost_frames(source), source.names
    unmade = [task.first for task in wanted if task.flow not in made]
    refuse_unmade(
        source.video.name,
        [names[first] for first in unmade if lost.isdisjoint((names[first], names[first + step]))],
    )


Pair = tuple[Frame, Frame, list[FlowTask]]


def compute_flows(
    config: FlowConfig,
    source: FrameSource,
    tasks: Sequence[FlowTask],
    engine: Engine,
    *,
    wrote: Callable[[Iterable[Path]], None],
    advance: Callable[[int], None],
) -> None:
    """Stream `source` once and write every flow of `tasks` whose two frames decode.

    Args:
        config: step and format count.
        source: the video; its `losses` are complete afterwards.
        tasks: the flows to compute.
        engine: what computes them.
        wrote: called with the files of a flow that are complete, from several threads.
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
            running.append(pool.submit(_compute, engine.estimator, config.format, pairs, wrote))
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


def _compute(
    estimator: FlowEstimator, format: str, pairs: list[Pair], wrote: Callable[[Iterable[Path]], None]
) -> int:
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
        wrote(task.files)
    return len(tasks)


def _tensor(frame: Frame) -> Tensor:
    """Frame -> float32 (1, 3, H, W) in [0, 1]. In numpy: torch's threads would fight those of the pool."""
    import torch

    return torch.from_numpy(np.multiply(frame.rgb.transpose(2, 0, 1), np.float32(1 / 255))[None])


def stream_pairs(frames: Iterable[Frame], step: int) -> Iterator[tuple[Frame, Frame]]:
    """Pairs of frames that are `step` positions apart, holding at most `step` frames.

    A pair of which one frame is missing in `frames` (it did not decode) is left out.
    """
    window: dict[int, Frame] = {}
    for frame in frames:
        for index in [index for index in window if index < frame.index - step]:
            del window[index]
        earlier = window.pop(frame.index - step, None)
        if earlier is not None:
            yield earlier, frame
        window[frame.index] = frame


def count(number: int, noun: str) -> str:
    """`2 flows`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _sentence(report: FlowVideoReport) -> str:
    parts = [count(report.flows, "flow")]
    parts += [f"{report.reused} there already"] if report.reused else []
    parts += [f"{report.missing} impossible"] if report.missing else []
    return ", ".join(parts)
