"""Motion of groups of objects that lie side by side: where they see much of the same, it is computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from itertools import tee

import numpy as np
import numpy.typing as npt
from torch import Tensor

from vsodtool.ops.boxes import Box
from vsodtool.pipelines.densify.groups import Group
from vsodtool.pipelines.densify.motion import CoarseMotion, Motion
from vsodtool.types import Size

Pair = tuple[int, Box, Tensor]


class PartOfMotion:
    """The motion of one group, as `Motion`, cut out of that of several.

    Attributes:
        coarse: motion of the interval.
        boxes: of the group, in each frame.
    """

    def __init__(self, shared: _SharedMotion, boxes: list[Box]) -> None:
        self.coarse, self.boxes, self._shared = shared.coarse, boxes, shared

    def pairs(self, *, backwards: bool) -> Iterator[Pair]:
        """As `Motion.pairs`; asked for once in each direction."""
        for position, box, flows in self._shared.pairs(backwards=backwards):
            own = self.boxes[position].union(self.boxes[position + 1])
            yield position, own, own.shift(-box.top, -box.left).crop(flows)


class _SharedMotion:
    """Gives all that take part the same pairs. They walk side by side, so only few wait for the last one."""

    def __init__(self, motion: Motion, takers: int) -> None:
        self.coarse = motion.coarse
        self._motion, self._takers = motion, takers
        self._waiting: dict[bool, list[Iterator[Pair]]] = {}

    def pairs(self, *, backwards: bool) -> Iterator[Pair]:
        if backwards not in self._waiting:
            self._waiting[backwards] = list(tee(self._motion.pairs(backwards=backwards), self._takers))
        return self._waiting[backwards].pop()


def motions_of(
    groups: Sequence[Group], coarse: CoarseMotion, on_flow: Callable[[int], None]
) -> list[Motion | PartOfMotion]:
    """The motion of each group of an interval.

    Args:
        groups: of its objects.
        coarse: its motion.
        on_flow: is told of between how many more neighbours the flow of the first group is known.
    """
    context, size = coarse.estimators.context, coarse.interval.size
    found: dict[int, Motion | PartOfMotion] = {}
    for members in seen_together([group.boxes for group in groups], context, size):
        of_frame = zip(*(groups[member].boxes for member in members), strict=True)
        boxes = [reduce(Box.union, each) for each in of_frame]
        motion = Motion(coarse, boxes, on_flow=on_flow if 0 in members else _nobody)
        if len(members) == 1:
            found[members[0]] = motion
        else:
            shared = _SharedMotion(motion, len(members))
            found |= {member: PartOfMotion(shared, groups[member].boxes) for member in members}
    return [found[number] for number in range(len(groups))]


def _nobody(_: int) -> None:
    """Of several groups the first one tells how far it is."""


def seen_together(boxes: Sequence[Sequence[Box]], context: int, size: Size) -> list[list[int]]:
    """Which groups' flow costs less together than apart: it costs what its pixels cost.

    Args:
        boxes: of each group, in each frame.
        context: pixels around them that the flow sees too.
        size: (H, W) of the frames.

    Returns:
        Positions of the groups that belong together; each is in one list.
    """
    grown = np.array(
        [[(box.top, box.left, -box.bottom, -box.right) for box in of_group] for of_group in boxes], np.int64
    )
    grown = np.minimum(grown[:, :-1], grown[:, 1:]) if grown.shape[1] > 1 else grown
    least = np.array([0, 0, -size[0], -size[1]])
    grown = np.maximum(grown - context, least)
    members = [[number] for number in range(len(boxes))]
    while len(members) > 1:
        costs = _pixels(grown)
        best, saved = (0, 0), 0
        for number in range(len(members) - 1):
            joint = _pixels(np.minimum(grown[number], grown[number + 1 :]))
            saving = costs[number] + costs[number + 1 :] - joint
            other = int(saving.argmax())
            if saving[other] > saved:
                best, saved = (number, number + 1 + other), int(saving[other])
        if not saved:
            break
        one, other = best
        members[one] += members.pop(other)
        grown[one] = np.minimum(grown[one], grown[other])
        grown = np.delete(grown, other, axis=0)
    return [sorted(each) for each in members]


def _pixels(boxes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Of all frames together: (groups, frames, 4) -> (groups,)."""
    total: npt.NDArray[np.int64] = ((-boxes[..., 2] - boxes[..., 0]) * (-boxes[..., 3] - boxes[..., 1])).sum(
        axis=-1
    )
    return total
