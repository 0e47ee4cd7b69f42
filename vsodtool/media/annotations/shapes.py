"""Masks of shapes: what a file says of an area -> its pixels in a frame of a given size.

Rasterisers of the tools differ by up to a pixel along the border (a circle of radius 20.4 has 1307 pixels by
COCO's rule and 1334 by PIL's), so each format names the one of its own tool.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from vsodtool.errors import DataError
from vsodtool.media.annotations.model import Draw
from vsodtool.media.annotations.runs import MaskArray, decode_counts, decode_runs
from vsodtool.types import Size

Ring = Sequence[float]  # x0, y0, x1, y1, ...; pixel (x, y) covers [x, x + 1) x [y, y + 1)

_LEAST_INSIDE = 0.2  # of the box around a drawing: less of it in the frame, and another frame was meant
_ROUNDING = 0.02  # of a side: what pages that show a picture smaller or larger add to it
_FAR = 100  # rings may reach this many image sizes beyond the image; the rasteriser's cost grows with it


def mask_in_box(mask: MaskArray, left: int, top: int) -> Draw:
    """A mask whose first pixel is (left, top) of the frame; what lies outside the frame is cut off."""

    def draw(size: Size) -> MaskArray:
        height, width = size
        drawn = np.zeros(size, bool)
        y0, x0 = max(0, top), max(0, left)
        y1, x1 = min(height, top + mask.shape[0]), min(width, left + mask.shape[1])
        if y0 < y1 and x0 < x1:
            drawn[y0:y1, x0:x1] = mask[y0 - top : y1 - top, x0 - left : x1 - left]
        return drawn

    return draw


def cut_out(mask: MaskArray) -> tuple[MaskArray, int, int]:
    """The smallest box that holds all of a mask, and its left and top in the frame: undoes `mask_in_box`.

    Args:
        mask: bool (H, W), not empty.
    """
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return box, int(columns[0]), int(rows[0])


def full_mask(mask: MaskArray, place: str) -> Draw:
    """A mask of the whole frame; another size is refused when it is drawn."""

    def draw(size: Size) -> MaskArray:
        if mask.shape != size:
            raise wrong_size(place, (mask.shape[0], mask.shape[1]), size)
        return mask

    return draw


def coco_polygon(rings: Sequence[Ring], place: str) -> Draw:
    """Rings by COCO's rule (pycocotools), each even-odd in itself, all of them together: parts.

    Raises:
        DataError: a ring has fewer than three points, an odd count of numbers, or reaches far out.
    """
    for ring in rings:
        _check_ring(ring, place)

    def draw(size: Size) -> MaskArray:
        height, width = size
        limit = _FAR * max(size)
        if any(abs(value) > limit for ring in rings for value in ring):
            raise DataError(
                f"{place}: expected points within {limit} pixels, found one further out",
                "check the units of the export, pixels are expected",
            )
        _check_inside([value for ring in rings for value in ring], size, place)
        from pycocotools import mask as coco

        codes = coco.frPyObjects([list(ring) for ring in rings], height, width)
        # pycocotools' own decoding warns with NumPy 2.
        return decode_runs(decode_counts(coco.merge(codes)["counts"].decode("ascii")), size, "columns")

    return draw


def picture_polygon(ring: Ring, place: str) -> Draw:
    """One ring by COCO's rule, drawn in a tool that keeps points within its picture but not the size of that.

    Raises:
        DataError: as `coco_polygon`; on drawing, if the ring reaches out of the frame, which is smaller then.
    """
    plain = coco_polygon([ring], place)

    def draw(size: Size) -> MaskArray:
        for values, length in ((ring[::2], size[1]), (ring[1::2], size[0])):
            if max(values) > length * (1 + _ROUNDING) + 1:
                raise _outside(ring, size, place)
        return plain(size)

    return draw


def pil_polygon(ring: Ring, place: str) -> Draw:
    """One ring by PIL's rule: the outline belongs to it, as LabelMe draws it.

    Raises:
        DataError: as `coco_polygon`.
    """
    _check_ring(ring, place)

    def draw(size: Size) -> MaskArray:
        _check_inside(ring, size, place)
        canvas = Image.new("1", (size[1], size[0]))
        points = list(zip(ring[::2], ring[1::2], strict=True))
        ImageDraw.Draw(canvas).polygon(points, outline=1, fill=1)
        return np.array(canvas, dtype=bool)

    return draw


def pil_box(corners: Ring, place: str) -> Draw:
    """The rectangle of two corners by PIL's rule, both corners belong to it."""
    left, right = sorted(corners[::2])
    top, bottom = sorted(corners[1::2])
    return pil_polygon((left, top, right, top, right, bottom, left, bottom), place)


def pil_ellipse(centre: tuple[float, float], radii: tuple[float, float], place: str) -> Draw:
    """An upright ellipse by PIL's rule, as LabelMe draws circles.

    Raises:
        DataError: as `pil_polygon`, when it is drawn.
    """

    def draw(size: Size) -> MaskArray:
        canvas = Image.new("1", (size[1], size[0]))
        (x, y), (rx, ry) = centre, radii
        _check_inside((x - rx, y - ry, x + rx, y + ry), size, place)
        ImageDraw.Draw(canvas).ellipse([x - rx, y - ry, x + rx, y + ry], outline=1, fill=1)
        return np.array(canvas, dtype=bool)

    return draw


def ellipse_ring(
    centre: tuple[float, float], radii: tuple[float, float], degrees: float = 0.0
) -> list[float]:
    """The ring of an ellipse, enough points that none of its pixels changes (a quarter pixel apart).

    Args:
        centre: x, y.
        radii: along x and y before it is turned.
        degrees: clockwise on the screen.
    """
    count = int(min(max(16, 8 * math.pi * max(abs(radii[0]), abs(radii[1]))), 20_000))
    angle = np.linspace(0, 2 * math.pi, count, endpoint=False)
    x, y = radii[0] * np.cos(angle), radii[1] * np.sin(angle)
    turn = math.radians(degrees)
    xs = centre[0] + x * math.cos(turn) - y * math.sin(turn)
    ys = centre[1] + x * math.sin(turn) + y * math.cos(turn)
    ring: list[float] = np.stack([xs, ys], 1).ravel().tolist()
    return ring


def box_ring(left: float, top: float, right: float, bottom: float, degrees: float = 0.0) -> list[float]:
    """The ring of a box, turned about its centre by degrees, clockwise on the screen."""
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)
    centre = corners.mean(0)
    turn = math.radians(degrees)
    matrix = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    ring: list[float] = ((corners - centre) @ matrix + centre).ravel().tolist()
    return ring


def of_size(draw: Draw, size: Size | None, place: str) -> Draw:
    """The same drawing, refused in frames of another size than the file claims; None: it claims none."""

    def checked(frame: Size) -> MaskArray:
        if size is not None and frame != size:
            raise wrong_size(place, size, frame)
        return draw(frame)

    return checked


def wrong_size(place: str, found: Size, expected: Size) -> DataError:
    """The error about labels of another size than their frame."""
    swapped = found == expected[::-1] and found != expected
    return DataError(
        f"{place}: expected labels of {expected[1]}x{expected[0]} like the frame, "
        f"found {found[1]}x{found[0]}" + (" (width and height are swapped)" if swapped else ""),
        "the tool ignored the rotation of the frames: rotate them before labelling"
        if swapped
        else "label the frames at their own size, or give the frames that were labelled",
    )


def _check_ring(ring: Ring, place: str) -> None:
    if len(ring) < 6 or len(ring) % 2:
        raise DataError(
            f"{place}: expected a polygon of at least 3 points (x, y), found {len(ring)} numbers",
            "remove the shape, or leave such ones out with --skip-bad",
        )
    if not all(map(math.isfinite, ring)):
        raise DataError(
            f"{place}: expected finite coordinates, found {next(v for v in ring if not math.isfinite(v))}",
            "remove the shape, or leave such ones out with --skip-bad",
        )


def _check_inside(points: Ring, size: Size, place: str) -> None:
    """Refuse what lies outside the frame all but a corner: it was drawn on larger pictures.

    Formats without the size of the picture tell in no other way.
    """
    sides = []
    for values, length in ((points[::2], size[1]), (points[1::2], size[0])):
        low, high = min(values), max(values)
        seen = min(high, length) - max(low, 0)
        sides.append(max(0.0, seen / (high - low) if high > low else float(seen >= 0)))
    if sides[0] * sides[1] < _LEAST_INSIDE:
        raise _outside(points, size, place)


def _outside(points: Ring, size: Size, place: str) -> DataError:
    xs, ys = points[::2], points[1::2]
    return DataError(
        f"{place}: expected points in a frame of {size[1]}x{size[0]}, found them from "
        f"({min(xs):g}, {min(ys):g}) to ({max(xs):g}, {max(ys):g})",
        "label the frames at their own size, or give the frames that were labelled",
    )
