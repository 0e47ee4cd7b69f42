"""Fill one interval: carry both labels through it, refine, and let the generator decide.

Or several generators, on the same evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from vsodtool.ops.boxes import whole
from vsodtool.ops.propagation import Carried, carry, start
from vsodtool.ops.temporal_smoothing import REACH
from vsodtool.pipelines.densify.evidence import Evidence, SideStore, side_evidence
from vsodtool.pipelines.densify.interval import Interval, LabelledFrame, to_image
from vsodtool.pipelines.densify.label import DenseFrame, in_frame
from vsodtool.pipelines.densify.method import Method
from vsodtool.pipelines.densify.motion import CHUNK, Motion, MotionEstimators, chunks
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.pipelines.densify.smoothing import SmoothingWindow


class FillInterval(Protocol):
    """A way to fill intervals: `densify_interval` with its plan and generator, or another."""

    def __call__(
        self,
        job: Interval,
        *,
        workers: Workers,
        on_frame: Callable[[DenseFrame], None],
        cancelled: Callable[[], bool],
    ) -> None:
        """Fill every target of an interval, as `densify_interval` does."""
        ...


def densify_interval(
    job: Interval,
    plan: MotionEstimators,
    generator: Method,
    *,
    workers: Workers,
    on_frame: Callable[[DenseFrame], None],
    cancelled: Callable[[], bool] = lambda: False,
    smooth: bool = False,
) -> None:
    """Fill every target of an interval.

    Args:
        job: the interval.
        plan: the flow estimators.
        generator: the method.
        smooth: let the neighbours of a frame steady its label; passed frames near targets are then
            generated too, so that a frame comes out alike whether those around it are filled or passed.
        workers: does the heavy pieces.
        on_frame: takes each finished frame; called from several threads, in no particular order.
        cancelled: asked now and then; once it says yes, the rest is left undone.
    """
    densify_with_each(
        job,
        plan,
        [generator],
        workers=workers,
        on_frame=lambda _, frame: on_frame(frame),
        cancelled=cancelled,
        smooth=smooth,
    )


def densify_with_each(
    job: Interval,
    plan: MotionEstimators,
    generators: Sequence[Method],
    *,
    workers: Workers,
    on_frame: Callable[[str, DenseFrame], None],
    cancelled: Callable[[], bool] = lambda: False,
    smooth: bool = False,
) -> None:
    """Fill every target once with each generator; all that comes before generating is done once for all.

    Args:
        job: the interval.
        plan: the flow estimators.
        generators: the methods, which all ask for the same evidence: whole frames or boxes.
        workers: does the heavy pieces.
        on_frame: takes the name of a generator and its frame; called from several threads, in no particular
            order.
        cancelled: asked now and then; once it says yes, the rest is left undone.
        smooth: as in `densify_interval`.
    """
    (everywhere,) = {generator.whole_frames for generator in generators}
    with torch.inference_mode():
        motion = Motion(job, plan, workers, cancelled, everywhere=everywhere)
        try:
            fill = _Fill(job, motion, plan, generators, on_frame, smooth=smooth)
            fill.run(workers, cancelled)
        finally:
            motion.close()


class _Fill:
    """The passes over an interval, one from each label; the last one generates."""

    def __init__(
        self,
        job: Interval,
        motion: Motion,
        plan: MotionEstimators,
        generators: Sequence[Method],
        on_frame: Callable[[str, DenseFrame], None],
        *,
        smooth: bool,
    ) -> None:
        self._job, self._motion, self._plan = job, motion, plan
        self._generators, self._on_frame = generators, on_frame
        self._sides = [known for known in (job.left, job.right) if known is not None]
        self._kept = SideStore(job, with_flow=generators[0].whole_frames)
        self._targets = set(job.targets)
        self._windows = {each.name: SmoothingWindow(job, motion.boxes) for each in generators if smooth}

    def run(self, workers: Workers, cancelled: Callable[[], bool]) -> None:
        wanted = set(with_neighbours(self._job)) if self._windows else self._targets
        try:
            for known in self._sides:
                last = known is self._sides[-1]
                look = partial(self._look, known, to_image(known.rgb, whole(self._job.size)))
                for steps in self._walk(known, wanted):
                    if cancelled():
                        return
                    workers.map(look, steps)
                    if last:
                        self._smooth(workers, steps[-1][0])
            self._smooth(workers, None)
        finally:
            self._kept.close()

    def _look(self, known: LabelledFrame, label_image: Tensor, step: tuple[int, int, Carried]) -> None:
        """What a label says about a frame is kept, or, if it is the last one, turned into the answer."""
        position, index, carried = step
        job, box = self._job, self._motion.boxes[position]
        rgb = job.rgb(index)
        image = to_image(rgb, box)
        side = side_evidence(known, label_image, image, self._plan, index=index, carried=carried.on(box))
        if known is not self._sides[-1]:
            self._kept.put(index, side)
            return
        found = [self._kept.take(index, image), side] if len(self._sides) == 2 else [side]
        evidence = Evidence(index, rgb, box, image, found, job.present)
        for generator in self._generators:
            generated = generator.generate(evidence)
            if self._windows:
                self._windows[generator.name].add(position, box, image, generated)
            else:
                self._on_frame(generator.name, in_frame(index, generated, box, job.size))

    def _smooth(self, workers: Workers, here: int | None) -> None:
        """Answer for the frames whose neighbours are all there, as the walk is `here` or over (None)."""
        for name, window in self._windows.items():
            for chunk in chunks(window.ready(here)):
                workers.map(partial(self._answer, name, window), chunk)
            if here is not None:
                window.forget(here)

    def _answer(self, name: str, window: SmoothingWindow, position: int) -> None:
        index = self._job.sequence[position]
        if index in self._targets:  # else it was generated for its neighbours only
            box, generated = window.smoothed(position)
            self._on_frame(name, in_frame(index, generated, box, self._job.size))

    def _walk(self, known: LabelledFrame, wanted: set[int]) -> Iterator[list[tuple[int, int, Carried]]]:
        """Carry a label as far as the last wanted frame; chunks of (position, index, what was carried)."""
        sequence, ahead = self._job.sequence, set(wanted)
        backwards = known is self._job.right
        windows = self._windows.values() if known is self._sides[-1] else ()
        carried: Carried | None = None
        chunk = []
        for position, box, flows in self._motion.pairs(backwards=backwards):
            for window in windows:
                window.add_flows(position, box, flows)
            if not ahead:  # the flows to the label at the other end, which the windows want
                break
            if carried is None:
                carried = start(known.labels, box)
            there, back = flows[0:1], flows[1:2]
            if backwards:  # from the second frame of the pair to the first
                here, carried = position, carry(carried, there, back, box)
            else:
                here, carried = position + 1, carry(carried, back, there, box)
            if sequence[here] in ahead:
                ahead.remove(sequence[here])
                chunk.append((here, sequence[here], carried))
                for window in windows:
                    window.expect(here)
            if len(chunk) == CHUNK or (chunk and not ahead):
                yield chunk
                chunk = []
            if not ahead and not windows:
                return


def with_neighbours(job: Interval) -> list[int]:
    """The targets of an interval and the passed frames that smooth them."""
    targets, sequence = set(job.targets), job.sequence
    filled = targets.union(job.passed)
    near = [sequence[max(at - REACH, 0) : at + REACH + 1] for at in range(len(sequence))]
    return [
        index
        for index, around in zip(sequence, near, strict=True)
        if index in filled and not targets.isdisjoint(around)
    ]
