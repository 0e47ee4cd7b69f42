"""Outlines of a mask, as closed chains of border pixels.

Suzuki and Abe, "Topological Structural Analysis of Digitized Binary Images by Border Following", CVGIP 1985,
algorithm 1, for 8-connected objects. The chains, their starting points and their direction are those of
OpenCV's `findContours(RETR_TREE, CHAIN_APPROX_NONE)`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vsodtool.metrics.arguments import BoolArray

STEPS = (
    (0, 1),
    (-1, 1),
    (-1, 0),
    (-1, -1),
    (0, -1),
    (1, -1),
    (1, 0),
    (1, 1),
)  # counter-clockwise on the screen
RIGHT, LEFT = 0, 4  # indices of STEPS


@dataclass(frozen=True)
class Contour:
    """One border.

    Attributes:
        points: (row, column) of its pixels in order; a pixel that the border passes twice is there twice.
        part: number of the connected part that it belongs to, from 0.
        hole: it goes round a hole; False = round the part.
    """

    points: list[tuple[int, int]]
    part: int
    hole: bool


def contours(mask: BoolArray) -> list[Contour]:
    """Borders of all parts and of their holes, in the order in which a scan by rows meets them.

    Args:
        mask: bool (H, W).
    """
    padded = np.pad(mask, 1)
    borders = _Borders(padded)
    found: list[Contour] = []
    parts = entry = 0
    flat = padded.reshape(-1)
    for place in (np.flatnonzero(flat[1:] != flat[:-1]) + 1).tolist():
        if borders.pixels[place]:
            entry = place  # a run of object pixels begins
            if place not in borders.part_at:
                found.append(Contour(borders.follow(place, LEFT, parts), parts, hole=False))
                parts += 1
        elif place - 1 not in borders.right_seen:
            # The run ends at a hole. It began on a border that is known by now, and that tells its part.
            part = borders.part_at[entry]
            found.append(Contour(borders.follow(place - 1, RIGHT, part), part, hole=True))
    return found


class _Borders:
    """What the scan has found so far. Places are indices into the padded mask, row by row."""

    def __init__(self, padded: BoolArray) -> None:
        self.width = padded.shape[1]
        self.pixels = padded.tobytes()
        self.part_at: dict[int, int] = {}  # number of the part of each pixel that a border has passed
        self.right_seen: set[int] = set()  # pixels that a border has passed on the right
        self.steps = [dy * self.width + dx for dy, dx in STEPS] * 2  # twice: a search may run over the end

    def follow(self, start: int, background: int, part: int) -> list[tuple[int, int]]:
        """Follow a border once round.

        Args:
            start: a pixel on it.
            background: direction in which background lies beside `start`.
            part: number of its part.
        """
        pixels, steps = self.pixels, self.steps
        self.part_at[start] = part
        back = background + 7  # direction from a pixel to the one before it, found clockwise
        while back > background and not pixels[start + steps[back]]:
            back -= 1
        if back == background:  # a single pixel
            self.right_seen.add(start)
            return [self._point(start)]
        back %= 8
        last, here = start + steps[back], start
        points = []
        while True:
            ahead = back + 1
            while not pixels[here + steps[ahead]]:
                ahead += 1
            self.part_at[here] = part
            if ahead > RIGHT + 8:
                self.right_seen.add(here)
            points.append(self._point(here))
            there = here + steps[ahead]
            if there == start and here == last:
                return points
            here, back = there, (ahead + 4) % 8

    def _point(self, place: int) -> tuple[int, int]:
        return place // self.width - 1, place % self.width - 1
