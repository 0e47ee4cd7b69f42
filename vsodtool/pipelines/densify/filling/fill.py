"""Fill one interval: carry both labels through it, refine, and let methods decide."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from typing import Any, NamedTuple

import torch
from torch import Tensor

from vsodtool.ops.boxes import whole
from vsodtool.ops.labels.colours import owner_colours, settle_by_colours
from vsodtool.ops.labels.exposure import Exposure
from vsodtool.ops.labels.propagation import Carried, carry, start
from vsodtool.ops.labels.temporal_smoothing import REACH
from vsodtool.pipelines.densify.filling.cleaning import clean
from vsodtool.pipelines.densify.filling.evidence import Evidence, Side, SideStore, side_evidence
from vsodtool.pipelines.densify.filling.joining import Joining
from vsodtool.pipelines.densify.filling.keeping import keep_shown
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.filling.smoothing import SmoothingWindow
from vsodtool.pipelines.densify.groups import groups_of
from vsodtool.pipelines.densify.interval import Interval, LabelledFrame, to_image
from vsodtool.pipelines.densify.method import FrameMethod, Method, WalkingMethod, Wants, generate_all
from vsodtool.pipelines.densify.motion import CHUNK, CoarseMotion, Motion, MotionEstimators, chunks
from vsodtool.pipelines.densify.remembered import digest
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.pipelines.densify.working_size import OnLabel, at_scale, working_scale


@dataclass(frozen=True)
class Finish:
    """How labels are made, whatever the method.

    Attributes:
        smooth: let the neighbours of a frame steady its label; passed frames near targets are then
            generated too, so that a frame comes out alike whether those around it are filled or passed.
        thinned: in smoothed intervals of so many frames from label to label, or from the label to the end,
            every second frame is taken from its neighbours (`ops.labels.temporal_smoothing.between`).
        min_part: pixels of the smallest part of an object; 0 lets the given masks decide.
        lines: of smaller frames on which large objects are followed, see `working_scale`; methods that want
            whole frames see them as they are.
    """

    smooth: bool = False
    thinned: range = range(0)
    min_part: int = 0
    lines: float = inf


PLAIN = Finish()


def densify(
    interval: Interval,
    methods: Sequence[Method],
    estimators: MotionEstimators,
    *,
    workers: Workers,
    on_label: OnLabel,
    finish: Finish = PLAIN,
    on_seen: Callable[[int], None] = lambda _: None,
    on_flow: Callable[[int], None] = lambda _: None,
) -> None:
    """Fill every target of an interval, once with each method.

    All that comes before a method decides is done once for all that want the same evidence. Objects that
    never meet in the interval are filled apart: n of them cost no n times the box that holds them all.

    Args:
        interval: to be filled; its frames stay open.
        methods: of different names.
        estimators: of the flow.
        workers: do the heavy pieces; once they are cancelled, the rest is left undone.
        on_label: takes each finished label; called from several threads, in no particular order.
        finish: how they are made.
        on_seen: told of how many more frames the first of two labels has been carried to.
        on_flow: told of between how many more neighbours the flow is known.
    """
    interval, min_part = interval.on(estimators.device), finish.min_part
    walking = [method for method in methods if isinstance(method, WalkingMethod)]
    by_frame = [method for method in methods if not isinstance(method, WalkingMethod)]
    for wants in Wants:
        of_frames = [method for method in by_frame if method.wants is wants]
        if not of_frames:
            continue
        if wants is Wants.LABELS:
            _fill_apart(interval, of_frames, workers, on_label)
            continue
        scale = working_scale(interval, finish.lines) if wants is Wants.BOXES else 1.0
        least = max(round(min_part * scale**2), 1) if min_part else 0
        with torch.inference_mode(), at_scale(interval, scale, on_label) as (seen, on_small):
            coarse = CoarseMotion(seen, estimators, workers)
            try:
                everywhere = wants is Wants.FRAMES or estimators.coarse is None
                groups = groups_of(seen, coarse, everywhere=everywhere)
                joining = Joining(len(seen.present), len(groups), on_small)
                thin = finish.smooth and len(seen.sequence) - 1 in finish.thinned
                between = in_between(seen, coarse) if thin else frozenset()
                with ExitStack() as stack:
                    fills = [
                        stack.enter_context(
                            _Fill(
                                seen.only(group.objects),
                                Motion(coarse, group.boxes, on_flow=_nobody if rank else on_flow),
                                of_frames,
                                partial(joining.add, group.objects),
                                hiding=group.hiding,
                                smooth=finish.smooth,
                                between=between,
                                min_part=least,
                            )
                        )
                        for rank, group in enumerate(groups)
                    ]
                    walks = [fill.rounds(_nobody if rank else on_seen) for rank, fill in enumerate(fills)]
                    # Side by side: no labels pile up, and small objects can be looked at together.
                    for steps in zip(*walks, strict=True):
                        if workers.cancelled():
                            return
                        at_once = [list(zip(fills, each, strict=True)) for each in zip(*steps, strict=True)]
                        workers.map(partial(_see_frame, of_frames), at_once)
            finally:
                coarse.close()
    for method in walking:
        give = partial(_give_walked, interval, method.name, on_label, min_part)
        method.walk(interval, workers, give, on_seen)


def _see_frame(methods: Sequence[FrameMethod], steps: Sequence[tuple[_Fill, _Step]]) -> None:
    """What a label says of each group of objects in one frame is kept, or turned into the answer."""
    seen = [(fill, step, evidence) for fill, step in steps if (evidence := fill.see(step)) is not None]
    for method in methods if seen else ():
        labels = generate_all(method, [evidence for _, _, evidence in seen])
        for (fill, step, evidence), label in zip(seen, labels, strict=True):
            fill.take(method.name, step, evidence, label)


def _nobody(_: int) -> None:
    """Of several groups the first one tells how far it is."""


def _give_walked(interval: Interval, name: str, on_label: OnLabel, min_part: int, label: SoftLabel) -> None:
    _give_unsmoothed(interval, name, on_label, clean(interval, label, min_part))


def _give_unsmoothed(interval: Interval, name: str, on_label: OnLabel, label: SoftLabel) -> None:
    on_label(name, keep_shown(interval, label, search=False))


def _fill_apart(
    interval: Interval, methods: Sequence[FrameMethod], workers: Workers, on_label: OnLabel
) -> None:
    """Fill each frame by itself, by methods that want nothing but the labelled frames."""
    box = whole(interval.size)

    def fill(index: int) -> None:
        rgb = interval.rgb(index)
        evidence = Evidence(interval, index, rgb, box, interval.image(index, box), [])
        for method in methods:
            _give_unsmoothed(interval, method.name, on_label, method.generate(evidence))

    for chunk in chunks(interval.targets):
        if workers.cancelled():
            return
        workers.map(fill, chunk)


class _Step(NamedTuple):
    """A label was carried to a frame, at a position in the sequence of its interval."""

    known: LabelledFrame
    label_image: Tensor
    position: int
    carried: Carried


class _Fill(AbstractContextManager[Any]):
    """The passes over an interval, one from each label; the last one generates."""

    def __init__(
        self,
        interval: Interval,
        motion: Motion,
        methods: Sequence[FrameMethod],
        on_label: OnLabel,
        *,
        hiding: bool,
        smooth: bool,
        between: Set[int],
        min_part: int,
    ) -> None:
        self._min_part = min_part
        self._interval, self._motion, self._estimators = interval, motion, motion.coarse.estimators
        self._methods, self._on_label = methods, on_label
        self._known = interval.labelled
        self._wants = methods[0].wants
        self._first = SideStore(interval, with_flow=self._wants is Wants.FRAMES)
        self._targets, self._between = set(interval.targets), between
        # Of one object they would tell what fusion and search have told already.
        self._several = self._wants is Wants.BOXES and sum(interval.present) > 1
        self._hiding = self._wants is Wants.BOXES and hiding
        self._colours: dict[int, Tensor] = {}  # of the labelled frames that have come by
        self._lights: dict[tuple[int, int], Exposure] = {}  # from a labelled frame to a target
        self._windows = {
            each.name: SmoothingWindow(interval, motion.boxes, thinned=bool(between))
            for each in methods
            if smooth
        }

    def __exit__(self, *_: object) -> None:
        self._first.close()

    def rounds(self, on_seen: Callable[[int], None]) -> Iterator[list[_Step]]:
        """Walk through it: what is to be seen next, a chunk of frames at a time; alike in all groups."""
        workers = self._motion.coarse.workers
        wanted = set(with_neighbours(self._interval)) if self._windows else self._targets
        for known in self._known:
            last = known is self._known[-1]
            label_image = self._motion.coarse.whole_image(known)
            if self._several:
                self._colours[known.index] = owner_colours(label_image, known.labels)
            for steps in self._walk(known, wanted):
                yield [_Step(known, label_image, position, carried) for position, carried in steps]
                if last:
                    self._smooth(workers, steps[-1][0])
                else:
                    on_seen(len(steps))
        self._smooth(workers, None)

    def see(self, step: _Step) -> Evidence | None:
        """What is known of a frame, once the last label has said what it can; else None."""
        known, label_image, position, carried = step
        if position in self._between:
            return None
        interval, box = self._interval, self._motion.boxes[position]
        index = interval.sequence[position]
        rgb = interval.rgb(index)
        image = to_image(rgb, box, self._estimators.device)
        side = self._side(known, label_image, image, position, carried.on(box))
        if side.exposure is not None:
            self._lights[known.index, index] = side.exposure
        if known is not self._known[-1]:
            self._first.put(index, side)
            return None
        sides = [self._first.take(index), side] if len(self._known) == 2 else [side]
        evidence = Evidence(interval, index, rgb, box, image, sides)
        return evidence.around_labels(self._estimators.margin) if self._wants is Wants.BOXES else evidence

    def take(self, name: str, step: _Step, evidence: Evidence, label: SoftLabel) -> None:
        """What a method made of that."""
        if self._windows:
            self._windows[name].add(step.position, evidence.image, label)
        else:
            self._give(name, label)

    def _side(
        self, known: LabelledFrame, label_image: Tensor, image: Tensor, position: int, carried: Carried
    ) -> Side:
        """What a label says about a frame; computed unless it is remembered."""
        refining, index = self._estimators.refining, self._interval.sequence[position]
        remembered = self._motion.coarse.remembered
        see = partial(
            side_evidence,
            known,
            label_image,
            image,
            refining,
            index=index,
            carried=carried,
            hiding=self._hiding,
        )
        if remembered is None:
            return see()

        def anew() -> tuple[Side, list[Tensor]]:
            side = see()
            if self._wants is not Wants.FRAMES:
                side = replace(side, flow=None)
            return side, [side.labels, side.views, side.consistency]

        at = self._interval.sequence.index(known.index)
        parts = (carried.box, carried.labels, carried.consistency, carried.flow)
        side = remembered.get(
            digest(
                "side",
                self._wants,  # with the flow, or without
                self._hiding,
                index - known.index,
                self._motion.coarse.digest(at),
                known.labels,
                self._motion.coarse.digest(position),
                *parts,
            ),
            anew,
        )
        return replace(side, known=known)

    def _smooth(self, workers: Workers, here: int | None) -> None:
        """Answer for the frames whose neighbours are all there, as the walk is `here` or over (None)."""
        for name, window in self._windows.items():
            for chunk in chunks(window.ready(here)):
                workers.map(partial(self._answer, name, window), chunk)
            if here is not None:
                window.forget(here)

    def _answer(self, name: str, window: SmoothingWindow, position: int) -> None:
        if self._interval.sequence[position] in self._targets:  # else generated for its neighbours only
            made = window.between if position in self._between else window.smoothed
            self._give(name, made(position))

    def _give(self, name: str, label: SoftLabel) -> None:
        if self._wants is Wants.BOXES:  # the paper's network is left as it is
            label = clean(self._interval, self._settled(label), self._min_part)
        self._on_label(name, keep_shown(self._interval, label, search=self._wants is Wants.BOXES))

    def _settled(self, label: SoftLabel) -> SoftLabel:
        """The label, with what is in doubt between several objects settled by their colours."""
        if not self._colours:
            return label
        image = self._interval.image(label.index, label.box)
        lights = [self._lights.get((known, label.index)) for known in self._colours]
        views = [image if light is None else light.undo(image) for light in lights]
        seen = list(self._colours.values())
        return replace(label, labels=settle_by_colours(label.labels, label.trust, views, seen))

    def _walk(self, known: LabelledFrame, wanted: set[int]) -> Iterator[list[tuple[int, Carried]]]:
        """Carry a label as far as the last wanted frame; chunks of (position, what was carried)."""
        sequence, ahead = self._interval.sequence, set(wanted)
        backwards = known is self._interval.right
        windows = self._windows.values() if known is self._known[-1] else ()
        carried: Carried | None = None
        chunk = []
        for position, box, flows in self._motion.pairs(backwards=backwards):
            for window in windows:
                window.add_flows(position, box, flows)
            if not ahead:  # the flows to the label at the other end, which the windows want
                break
            if carried is None:
                carried = start(known.labels, box)
            there, back = flows[0:1].float(), flows[1:2].float()
            if backwards:  # from the second frame of the pair to the first
                here, carried = position, carry(carried, there, back, box)
            else:
                here, carried = position + 1, carry(carried, back, there, box)
            if sequence[here] in ahead:
                ahead.remove(sequence[here])
                chunk.append((here, carried))
                for window in windows:
                    window.expect(here)
            if len(chunk) == CHUNK or (chunk and not ahead):
                yield chunk
                chunk = []
            if not ahead and not windows:
                return


def in_between(interval: Interval, motion: CoarseMotion) -> Set[int]:
    """Every second position of an interval, where both neighbours can tell what is there.

    Which ones does not depend on what is asked for, so a frame comes out alike whatever is made beside it.
    """
    first = 0 if interval.left is not None else (len(interval.sequence) - 1) % 2
    positions = range(first + 1, len(interval.sequence) - 1, 2)
    return {at for at in positions if motion.exposure(at - 1) is motion.exposure(at) is None}


def with_neighbours(interval: Interval) -> list[int]:
    """The targets of an interval and the passed frames that smooth them."""
    targets, sequence = set(interval.targets), interval.sequence
    filled = targets.union(interval.passed)
    near = [sequence[max(at - REACH, 0) : at + REACH + 1] for at in range(len(sequence))]
    return [
        index
        for index, around in zip(sequence, near, strict=True)
        if index in filled and not targets.isdisjoint(around)
    ]
