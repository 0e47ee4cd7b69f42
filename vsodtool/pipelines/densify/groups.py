"""Which objects meet: those that never do are filled apart, each group on boxes of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations

from vsodtool.ops.boxes import Box, whole
from vsodtool.pipelines.densify.interval import Interval
from vsodtool.pipelines.densify.motion import COARSE, CoarseMotion

STEP = 16  # sides of boxes are multiples of this: a mask that changes little leaves them, and flows, alone


@dataclass(frozen=True)
class Group:
    """Objects that meet each other, and none of the others, in an interval.

    Attributes:
        objects: their channels in the labels of the interval, ascending.
        boxes: of each frame of `interval.sequence`, where they can be.
        hiding: one may hide another in some frame.
    """

    objects: list[int]
    boxes: list[Box]
    hiding: bool = False


def groups_of(interval: Interval, coarse: CoarseMotion, *, everywhere: bool) -> list[Group]:
    """The groups of the objects that a label of an interval shows.

    Args:
        interval: with its labels.
        coarse: its motion.
        everywhere: objects can be anywhere, all of them.

    Returns:
        One of all objects where these can be anywhere, or no label shows one.
    """
    all_of_them = list(range(len(interval.present)))
    if everywhere:
        boxes = [whole(interval.size)] * len(interval.sequence)
        return [Group(all_of_them, boxes, sum(interval.present) > 1)]
    places = coarse.places()
    if not places:
        return [Group(all_of_them, _around(interval, []))]
    margin, size = coarse.estimators.margin, interval.size
    near = {
        number: [box and box.grow(margin, 0.0, size) for box in boxes] for number, boxes in places.items()
    }
    return [
        Group(
            objects,
            _around(interval, [near[number] for number in objects]),
            any(_meet(places[one], places[other]) for one, other in combinations(objects, 2)),
        )
        for objects in apart(near)
    ]


def apart(places: Mapping[int, Sequence[Box | None]]) -> list[list[int]]:
    """Objects in groups that never meet: their boxes have no pixel in common in any frame.

    Args:
        places: by object, its box in each frame, or None.

    Returns:
        The objects of each group, ascending; groups by their first ones.
    """
    groups: list[list[int]] = []
    for number, boxes in places.items():
        near = [group for group in groups if any(_meet(boxes, places[other]) for other in group)]
        groups = [group for group in groups if group not in near]
        groups.append(sorted([number, *(other for group in near for other in group)]))
    return sorted(groups)


def _meet(first: Sequence[Box | None], second: Sequence[Box | None]) -> bool:
    pairs = zip(first, second, strict=True)
    return any(one is not None and other is not None and one.meets(other) for one, other in pairs)


def _around(interval: Interval, places: Iterable[Sequence[Box | None]]) -> list[Box]:
    """Boxes of all frames that hold some objects, by the places of each."""
    size = interval.size
    nothing = Box(0, 0, min(COARSE, size[0]), min(COARSE, size[1]))
    boxes = []
    for of_objects in zip(*places, strict=True):
        found = [box for box in of_objects if box is not None]
        boxes.append(reduce(Box.union, found).align(STEP, size) if found else nothing)
    return boxes or [nothing] * len(interval.sequence)
