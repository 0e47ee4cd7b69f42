"""Generated frames of an interval, until those around them are there too and smooth them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from vsodtool.ops.boxes import Box
from vsodtool.ops.labels.temporal_smoothing import (
    REACH,
    Neighbour,
    from_bounded_odds,
    log_odds,
    smooth_over_time,
)
from vsodtool.ops.warp import compose_flows, sample
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval, to_image


class _Seen(NamedTuple):
    """A frame and its label, generated or given, on a box."""

    box: Box
    image: Tensor
    odds: Tensor


class SmoothingWindow:
    """Walks along an interval with the last pass over it, a few frames behind.

    A position is that of a frame in `interval.sequence`. The given labels at the ends steady their neighbours
    too.
    """

    def __init__(self, interval: Interval, boxes: list[Box]) -> None:
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
                self._seen[position] = _Seen(box, image, log_odds(box.crop(known.labels)))

    def add_flows(self, position: int, box: Box, flows: Tensor) -> None:
        """The flows of a pair, as `Motion.pairs` gives them."""
        self._flows[position] = (box, flows)

    def add(self, position: int, image: Tensor, label: SoftLabel) -> None:
        """A generated frame and the frame itself on the same box; may be called from several threads."""
        self._seen[position] = _Seen(label.box, image, log_odds(label.labels))
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
        odds = smooth_over_time(here.odds, here.image, self._neighbours(position, here))
        return replace(self._made.pop(position), labels=from_bounded_odds(odds))

    def _neighbours(self, position: int, here: _Seen) -> Iterable[Neighbour]:
        for step in (-1, 1):
            flow: Tensor | None = None
            for distance in range(1, REACH + 1):
                at = position + step * distance
                pair = self._flows.get(at if step < 0 else at - 1)
                if pair is None:
                    break
                flow = self._further(flow, pair, here.box, backwards=step < 0)
                there = self._seen.get(at)
                if there is None:  # only passed
                    continue
                origin = (here.box.top - there.box.top, here.box.left - there.box.left)
                warped = sample(torch.cat((there.odds, there.image), dim=1), flow, origin=origin)
                yield Neighbour(warped[:, :-3], warped[:, -3:], distance)

    @staticmethod
    def _further(flow: Tensor | None, pair: tuple[Box, Tensor], here: Box, *, backwards: bool) -> Tensor:
        """The flow from a frame, on its box, to one frame beyond that to which `flow` leads."""
        box, flows = pair
        step = flows[1:2] if backwards else flows[0:1]
        if flow is None:
            return here.shift(-box.top, -box.left).crop(step)
        return compose_flows(flow, step, origin=(here.top - box.top, here.left - box.left))
