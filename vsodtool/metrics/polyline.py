"""How many control points a line needs: its simplification by Ramer, Douglas and Peucker, as OpenCV does
it."""

from __future__ import annotations

from typing import TypeAlias

Point: TypeAlias = tuple[int, int]  # (row, column)
Points: TypeAlias = list[Point]


def control_points(line: Points, tolerance: float) -> int:
    """Number of points of the simplified line, as OpenCV's `approxPolyDP(line, tolerance, closed=False)`
    counts.

    Args:
        line: (row, column) of an open line; no point twice, at least one point.
        tolerance: greatest distance of a point that is left out, in pixels.
    """
    return _without_straight(_simplified(line, tolerance), tolerance)


def _simplified(line: Points, tolerance: float) -> Points:
    """Keep the ends, and between two kept points the farthest from the segment between them if it is too far.

    From the segment, as OpenCV 4.14 does; old versions measure from the line through it and keep fewer
    points.
    """
    kept = [0, len(line) - 1] if len(line) > 1 else [0]
    spans = [(0, len(line) - 1)]
    while spans:
        first, last = spans.pop()
        length = _squared(line[first], line[last])
        farthest, most = first, 0
        for i in range(first + 1, last):
            offset = _offset(line[i], line[first], line[last])
            if offset > most:
                farthest, most = i, offset
        if most > tolerance * tolerance * length:
            kept.append(farthest)
            spans += [(first, farthest), (farthest, last)]
    return [line[i] for i in sorted(kept)]


def _offset(point: Point, start: Point, end: Point) -> int:
    """Squared distance of a point from the segment between two others, times the segment's squared length."""
    dy, dx = end[0] - start[0], end[1] - start[1]
    y, x = point[0] - start[0], point[1] - start[1]
    length, along = dy * dy + dx * dx, y * dy + x * dx
    if along < 0:
        return _squared(point, start) * length
    if along > length:
        return _squared(point, end) * length
    return (y * dx - x * dy) ** 2


def _squared(a: Point, b: Point) -> int:
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2


def _without_straight(line: Points, tolerance: float) -> int:
    """Number of points after OpenCV's last pass, which drops the middle one of three that lie nearly
    straight.

    After a drop it goes on behind the third point, and it never drops from horizontal or vertical chords.
    """
    number, i = len(line), 1
    before = line[0]
    while i < len(line) - 1 and number > 2:
        (y, x), (end_y, end_x) = line[i], line[i + 1]
        dy, dx = end_y - before[0], end_x - before[1]
        offset = abs((x - before[1]) * dy - (y - before[0]) * dx)
        forward = (x - before[1]) * (end_x - x) + (y - before[0]) * (end_y - y) >= 0
        if offset * offset <= 0.5 * tolerance * tolerance * (dx * dx + dy * dy) and dx and dy and forward:
            number -= 1
            before = line[i + 1]
            i += 2
        else:
            before = line[i]
            i += 1
    return number
