"""Generated frames of an interval, until those around them are there too and smooth them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from vsodtool.ops.boxes import Box
from vsodtool.ops.labels.edges import align_to_edges
from vsodtool.ops.labels.temporal_smoothing import (
    REACH,
    Neighbour,
    agreement,
    between,
    expected_between,
    from_bounded_odds,
    log_odds,
    smooth_over_time,
)
from vsodtool.ops.warp import compose_flows, sample_all
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval, to_image


class _Seen(NamedTuple):
    """A frame and its label, generated or given, on a box.

    `trust` is that of its pixels (1, 1, h, w), `expected` the J that its objects are expected to reach.
    """

    box: Box
    image: Tensor
    odds: Tensor
    trust: Tensor
    expected: Sequence[float | None]


class SmoothingWindow:
    """Walks along an interval with the last pass over it, a few frames behind.

    A position is that of a frame in `interval.sequence`. The given labels at the ends steady their neighbours
    too.
    """

    def __init__(self, interval: Interval, boxes: list[Box], *, thinned: bool = False) -> None:
        """Nothing has come by.

        Args:
            interval: that is walked along.
            boxes: of its frames.
            thinned: some frames are asked for by `between`.
        """
        self._thinned = thinned
        self._interval, self._boxes = interval, boxes
        self._forwards = interval.right is None  # the last pass begins at the right label, if there is one
        self._seen: dict[int, _Seen] = {}
        self._made: dict[int, SoftLabel] = {}
        self._flows: dict[int, tuple[Box, Tensor]] = {}
        self._waiting: list[int] = []
        ends = ((interval.left, 0), (interval.right, len(boxes) - 1))
        for known, position in ends:
            if known is not None:
                box = boxes[position]
                image = to_image(known.rgb, box, known.labels.device)
                given = box.crop(known.labels)
                sure = [1.0 if there else None for there in interval.present]
                self._seen[position] = _Seen(box, image, log_odds(given), torch.ones_like(given[:, :1]), sure)

    def add_flows(self, position: int, box: Box, flows: Tensor) -> None:
        """The flows of a pair, as `Motion.pairs` gives them."""
        self._flows[position] = (box, flows)

    def add(self, position: int, image: Tensor, label: SoftLabel) -> None:
        """A generated frame and the frame itself on the same box; may be called from several threads."""
        trust = label.trust if label.support is None else label.trust * label.support
        expected = label.object_confidences if self._thinned else []  # not for nothing: it takes its time
        self._seen[position] = _Seen(label.box, image, log_odds(label.labels), trust, expected)
        self._made[position] = label

    def expect(self, position: int) -> None:
        """A frame that is to be smoothed; in the order of the walk."""
        self._waiting.append(position)

    def ready(self, here: int | None) -> list[int]:
        """Frames with all neighbours they will ever have, in order, each once.

        Args:
            here: how far the walk has come; None when it is over.
        """
        done = [at for at in self._waiting if here is None or self._behind(at, here) >= REACH]
        self._waiting = self._waiting[len(done) :]
        return done

    def forget(self, here: int) -> None:
        """Drop what is not needed again.

        Args:
            here: how far the walk has come.
        """
        oldest = self._waiting[0] if self._waiting else here
        for kept in (self._seen, self._made, self._flows):
            for position in [at for at in kept if self._behind(at, oldest) > REACH]:
                del kept[position]

    def _behind(self, position: int, here: int) -> int:
        return here - position if self._forwards else position - here

    def smoothed(self, position: int) -> SoftLabel:
        """A generated label, steadied by those around it; asked for once."""
        here = self._seen[position]
        around = self._around(position, here.box, REACH)
        near = (self._neighbour(*each, here.box) for each in around)
        odds = smooth_over_time(here.odds, here.image, near)
        return replace(self._made.pop(position), labels=from_bounded_odds(odds))

    def between(self, position: int) -> SoftLabel:
        """The label of a frame that no method looked at, from those beside it.

        It is pulled to the edges of its image: .001 to .003 of J on each of eight videos of davis-train.
        """
        index, box = self._interval.sequence[position], self._boxes[position]
        around = list(self._around(position, box, 1))
        neighbours = [self._neighbour(*each, box) for each in around]
        trusts = [_brought(there, (there.trust,), flow, box)[0] for there, flow, _ in around]
        image = self._interval.image(index, box)
        labels, trust = between(image, neighbours, trusts)
        agreed = agreement(neighbours[0].odds, neighbours[-1].odds).tolist()
        expected = (around[0][0].expected, around[-1][0].expected, agreed)
        return SoftLabel(
            index,
            self._interval.size,
            box,
            align_to_edges(labels, image),
            trust,
            expected=[
                None if first is None or last is None else expected_between(first, last, each)
                for first, last, each in zip(*expected, strict=True)
            ],
        )

    def _around(self, position: int, here: Box, reach: int) -> Iterator[tuple[_Seen, Tensor, int]]:
        """Frames up to so far away, the flow to each from a frame on its box, and how far."""
        for step in (-1, 1):
            flow: Tensor | None = None
            for distance in range(1, reach + 1):
                at = position + step * distance
                pair = self._flows.get(at if step < 0 else at - 1)
                if pair is None:
                    break
                flow = self._further(flow, pair, here, backwards=step < 0)
                there = self._seen.get(at)
                if there is not None:  # else only passed
                    yield there, flow, distance

    @staticmethod
    def _neighbour(there: _Seen, flow: Tensor, distance: int, here: Box) -> Neighbour:
        """Another frame brought to a box of this one along the flow to it."""
        odds, image = _brought(there, (there.odds, there.image), flow, here)
        return Neighbour(odds, image, distance)

    @staticmethod
    def _further(flow: Tensor | None, pair: tuple[Box, Tensor], here: Box, *, backwards: bool) -> Tensor:
        """The flow from a frame, on its box, to one frame beyond that to which `flow` leads."""
        box, flows = pair
        step = flows[1:2] if backwards else flows[0:1]
        if flow is None:
            return here.shift(-box.top, -box.left).crop(step).float()
        return compose_flows(flow, step.float(), origin=(here.top - box.top, here.left - box.left))


def _brought(there: _Seen, maps: Sequence[Tensor], flow: Tensor, here: Box) -> list[Tensor]:
    """Maps of another frame on a box of this one, along the flow to it."""
    return sample_all(maps, flow, origin=(here.top - there.box.top, here.left - there.box.left))
