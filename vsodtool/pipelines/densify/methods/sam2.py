"""`--method sam2`: SAM 2 video follows the objects from both labels, and both directions are combined."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from vsodtool.models.sam2.tracker import Sam2Tracker, Sighting
from vsodtool.ops.boxes import whole
from vsodtool.ops.confidence import ONE_SIDED
from vsodtool.ops.labels.directions import ABSENT, CERTAIN, Direction, combine
from vsodtool.pipelines.densify.filling.evidence import Shelf
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval, LabelledFrame
from vsodtool.pipelines.densify.method import Method, MethodSetup, Wants
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.pipelines.networks.sam2 import LoadedSam2

HELD_BYTES = 64 * 2**20  # of what one direction says of an interval; more is put aside on disk
LOGITS_BYTES = 2 * 256 * 256  # of one object in one frame, in half precision


class Sam2Method:
    """Forwards from the left label and backwards from the right one, each with a memory of its own.

    Neither direction sees the label at its end, so where both agree, that says something. What one saw is
    kept in half precision until the other comes by.
    """

    name = "sam2"
    wants = Wants.INTERVAL

    def __init__(self, tracker: Sam2Tracker) -> None:
        self._tracker = tracker

    def walk(
        self,
        interval: Interval,
        workers: Workers,
        on_label: Callable[[SoftLabel], None],
        on_seen: Callable[[int], None],
    ) -> None:
        """Fill every target; both directions walk at once where there are threads for it."""
        meeting = _Meeting(interval, on_label, on_seen)

        def come(known: LabelledFrame) -> None:
            with torch.inference_mode():
                for index, sighting in self._sightings(interval, known):
                    if workers.cancelled():
                        return
                    meeting.add(index, known, sighting)

        try:
            workers.map(come, interval.labelled)
        finally:
            meeting.close()

    def _sightings(self, interval: Interval, known: LabelledFrame) -> Iterator[tuple[int, Sighting]]:
        """The targets on the way from a label to the farthest one, as the network sees them from there."""
        shown = [number for number, area in enumerate(known.areas) if area]
        targets, count = set(interval.targets), len(known.areas)
        if not shown:  # nothing to follow: from here, nothing is there
            for index in interval.targets:
                yield index, _absent(count, (1, 1), known.labels)
            return
        track = self._tracker.follow(known.labels[0, shown] > 0)
        track.see(known.rgb)
        for index in way_from(interval, known):
            seen = track.see(interval.rgb(index))
            if index in targets:
                logits, scores = _absent(count, seen.logits.shape[-2:], seen.logits)
                logits[shown], scores[shown] = seen.logits, seen.scores
                yield index, Sighting(logits, scores)


def sam2_method(setup: MethodSetup) -> Method:
    """`--method sam2`; the network is taken over."""
    loaded = setup.foreign
    assert isinstance(loaded, LoadedSam2)
    return Sam2Method(Sam2Tracker(loaded.network, loaded.processor, device=setup.device))


def way_from(interval: Interval, known: LabelledFrame) -> list[int]:
    """Indices of the frames from a label to the target that is farthest from it, in the order of the walk."""
    backwards = known is interval.right
    beside = [*interval.targets, *interval.passed]
    last = interval.targets[0 if backwards else -1]
    passed = [index for index in beside if (index >= last if backwards else index <= last)]
    return sorted(passed, reverse=backwards)


def _absent(count: int, size: tuple[int, ...], like: Tensor) -> Sighting:
    """What is said of objects that a label does not show (count, 1, h, w)."""
    return Sighting(like.new_full((count, 1, *size), ABSENT), like.new_full((count, 1), -CERTAIN))


@dataclass(frozen=True)
class _Kept:
    """What the first direction left, but for its logits."""

    known: LabelledFrame
    scores: Tensor


class _Meeting:
    """Where both directions come to: the second one makes the label."""

    def __init__(
        self, interval: Interval, on_label: Callable[[SoftLabel], None], on_seen: Callable[[int], None]
    ) -> None:
        self._interval, self._on_label, self._on_seen = interval, on_label, on_seen
        self._both = len(interval.labelled) == 2
        self._lock = threading.Lock()
        self._first: dict[int, _Kept] = {}
        most = LOGITS_BYTES * len(interval.present) * len(interval.targets)
        self._shelf = Shelf(interval, large=most > HELD_BYTES)

    def add(self, index: int, known: LabelledFrame, sighting: Sighting) -> None:
        """What a direction says about a target."""
        if not self._both:
            self._answer(index, [_direction(index, known, sighting.logits, sighting.scores)])
            return
        logits = sighting.logits.half()  # of both alike, so that it does not matter who comes first
        with self._lock:
            kept = self._first.pop(index, None)
            if kept is None:
                self._shelf.put(index, logits)
                self._first[index] = _Kept(known, sighting.scores)
                there = logits
            else:
                there = self._shelf.take(index)
        if kept is None:
            self._on_seen(1)
            return
        directions = [
            _direction(index, kept.known, there, kept.scores),
            _direction(index, known, logits, sighting.scores),
        ]
        self._answer(index, directions if known is self._interval.right else directions[::-1])

    def close(self) -> None:
        """Forget what never met."""
        self._shelf.close()

    def _answer(self, index: int, directions: list[Direction]) -> None:
        size = self._interval.size
        labels, trust = combine(directions, size)
        one_sided = 1.0 if self._both else ONE_SIDED
        self._on_label(SoftLabel(index, size, whole(size), labels, trust * one_sided))


def _direction(index: int, known: LabelledFrame, logits: Tensor, scores: Tensor) -> Direction:
    return Direction(logits, scores, abs(index - known.index))
