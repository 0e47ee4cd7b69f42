"""Which neighbours a network with motion input looks at, and how their maps lie in its channels. No torch."""

from __future__ import annotations

from typing import NamedTuple

OFFSETS = (-3, -1, 1, 3)  # frames: the near ones for fast things, the far ones for slow ones
REACH = max(OFFSETS)
MAPS = 3  # of each neighbour: velocity to the right, velocity down, speed
CHANNELS = MAPS * len(OFFSETS)
REDUCED = 2  # the maps are smaller than the network's images by this factor


class Look(NamedTuple):
    """Where one group of channels comes from.

    Attributes:
        neighbour: position of the other frame; None where the video has a single frame: nothing moves.
        sign: 1 if the neighbour comes later, -1 if it comes earlier: displacement x sign = velocity.
    """

    neighbour: int | None
    sign: int


def looks(position: int, first: int, last: int) -> tuple[Look, ...]:
    """The neighbours of a frame, one for each of OFFSETS.

    Where a video ends before the offset, its last frame is taken; where that is the frame itself, the
    neighbour on the other side, as if things moved on as they do there.

    Args:
        position: of the frame, first <= position <= last.
        first: position of the first frame that there is.
        last: position of the last one.
    """
    found = []
    for offset in OFFSETS:
        neighbour = min(max(position + offset, first), last)
        if neighbour == position:
            neighbour = min(max(position - offset, first), last)
        found.append(Look(None, 1) if neighbour == position else Look(neighbour, _sign(neighbour - position)))
    return tuple(found)


def _sign(number: int) -> int:
    return 1 if number > 0 else -1
