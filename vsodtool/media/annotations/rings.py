"""The border of a mask as rings along pixel edges, which COCO's rule fills to exactly the mask again."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vsodtool.media.annotations.runs import MaskArray

Point = tuple[int, int]  # x, y of a corner between pixels


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a mask whose pixels are joined by their edges.

    Attributes:
        outline: its corners, clockwise on the screen, from the top-left one.
        holes: the corners of each hole, anticlockwise.
    """

    outline: list[Point]
    holes: list[list[Point]]


def trace_parts(mask: MaskArray) -> list[Part]:
    """The parts of a mask, bool (H, W), in the order of their first pixels along the rows."""
    padded = np.pad(mask, 1)
    above, here = padded[:-1, 1:-1], padded[1:, 1:-1]
    before, after = padded[1:-1, :-1], padded[1:-1, 1:]
    steps: dict[Point, list[Point]] = {}
    # Every edge is walked with the mask on its right: tops to the right, bottoms to the left and so on.
    for edges, start, end in (
        (here & ~above, (0, 0), (1, 0)),
        (above & ~here, (1, 0), (0, 0)),
        (after & ~before, (0, 1), (0, 0)),
        (before & ~after, (0, 0), (0, 1)),
    ):
        for y, x in np.argwhere(edges).tolist():
            steps.setdefault((x + start[0], y + start[1]), []).append((x + end[0], y + end[1]))
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    parts: dict[int, Part] = {}
    holes: list[tuple[int, list[Point]]] = []
    for first in sorted(steps, key=lambda point: (point[1], point[0])):
        while steps.get(first):
            ring = _walk(steps, first)
            x, y = ring[0]
            if ring[1][1] == y:  # it leaves its top-left corner to the right: an outline
                parts[int(labels[y, x])] = Part(ring, [])
            else:
                holes.append((int(labels[y, x - 1]), ring))
    for label, ring in holes:
        parts[label].holes.append(ring)
    return list(parts.values())


def one_ring(parts: list[Part]) -> list[Point]:
    """One ring through all outlines and holes, joined by cuts of no width between their nearest corners."""
    rings = [ring for part in parts for ring in (part.outline, *part.holes)]
    joined = list(rings[0])
    for ring in rings[1:]:
        apart = np.asarray(joined)[:, None] - np.asarray(ring)[None]
        at, start = divmod(int((apart**2).sum(2).argmin()), len(ring))
        around = [*ring[start:], *ring[: start + 1]]
        joined[at + 1 : at + 1] = [*around, joined[at]]
    return joined


def flat(ring: list[Point]) -> list[int]:
    """x0, y0, x1, y1, ..."""
    return [value for point in ring for value in point]


def _walk(steps: dict[Point, list[Point]], first: Point) -> list[Point]:
    """Take one ring out of the steps; corners only."""
    ring = [first]
    here = steps[first].pop(0)
    way = (here[0] - first[0], here[1] - first[1])
    while here != first or _turns_on(steps, here, way):
        options = steps[here]
        # Where two pixels meet by a corner only, turning right stays with the pixel that is walked around.
        right = (here[0] - way[1], here[1] + way[0])
        following = right if right in options else options[0]
        options.remove(following)
        new = (following[0] - here[0], following[1] - here[1])
        if new != way:
            ring.append(here)
        here, way = following, new
    return ring


def _turns_on(steps: dict[Point, list[Point]], here: Point, way: Point) -> bool:
    """Whether the ring passes its first corner and goes on, as it does where two of its pixels meet there."""
    right = (here[0] - way[1], here[1] + way[0])
    return right in steps[here]
