"""Distance to the nearest object pixel, and the value at that pixel.

The Euclidean distance transform is separable: the nearest pixel of each row, then the best of the rows. Here the second
step tries the rows one after the other, nearest first, and stops where no row further off can be better.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from vsodtool.metrics.arguments import BoolArray, FloatArray

LIMIT = 180  # LIMIT² + LIMIT² fits into 16 bits
STRIP = 16  # rows per strip: three strips stay in the first-level cache


def squared_distance(mask: BoolArray, wanted: BoolArray) -> npt.NDArray[np.uint16]:
    """Squared Euclidean distance to the nearest object pixel, exact up to LIMIT pixels.

    Args:
        mask: bool (H, W), True = object.
        wanted: bool (H, W), where the distance is needed; elsewhere it may be too large.

    Returns:
        uint16 (H, W). Where the nearest object pixel is LIMIT pixels away or more: LIMIT² or more.
    """
    along_rows = _row_distance(mask)
    along_rows *= along_rows
    best = along_rows.copy()
    height = mask.shape[0]
    sums = np.empty((STRIP, mask.shape[1]), np.uint16)
    for top in range(0, height, STRIP):
        bottom = min(top + STRIP, height)
        strip, needed = best[top:bottom], wanted[top:bottom]
        if not needed.any():
            continue
        for shift in range(1, LIMIT):
            # asked again only now and then: the question costs more than a shift
            if shift & (shift - 1) == 0 or shift % 8 == 0:
                worst = int(strip.max(where=needed, initial=0))
            if shift * shift >= worst:
                break
            for rows in (slice(top + shift, bottom + shift), slice(top - shift, bottom - shift)):
                start, stop = max(rows.start, 0), min(rows.stop, height)
                if start >= stop:
                    continue
                offset = start - rows.start
                part = sums[: stop - start]
                np.add(along_rows[start:stop], np.uint16(shift * shift), out=part)
                target = strip[offset : offset + stop - start]
                np.minimum(target, part, out=target)
    return best


def _row_distance(mask: BoolArray) -> npt.NDArray[np.uint16]:
    """Distance to the nearest object pixel of the same row, at most LIMIT."""
    width = mask.shape[1]
    columns = np.arange(width, dtype=np.int32)
    last = np.where(mask, columns, np.int32(-LIMIT))
    np.maximum.accumulate(last, axis=1, out=last)
    following = np.where(mask, columns, np.int32(width + LIMIT))
    backwards = following[:, ::-1]
    np.minimum.accumulate(backwards, axis=1, out=backwards)
    np.subtract(columns, last, out=last)
    following -= columns
    np.minimum(last, following, out=last)
    np.minimum(last, LIMIT, out=last)
    return last.astype(np.uint16)


def fill_margin(values: FloatArray, mask: BoolArray, radius: int) -> FloatArray:
    """Continue the values of the object beyond its edge: each pixel gets those of the nearest object pixel.

    Args:
        values: float64 (H, W).
        mask: bool (H, W), True = object.
        radius: how far (Chebyshev distance).

    Returns:
        float64 (H + 2 * radius, W + 2 * radius), with a frame of zeros around the image: the values of the object,
        and within `radius` of it those of the nearest object pixel. Of several at the same distance it is the one with
        the smallest column, then the smallest row, which is what `scipy.ndimage.distance_transform_edt` returns (its
        passes run along columns, then along rows, and keep the first of equals). 0 elsewhere.
    """
    reach = _reach(radius)
    border = int(np.abs(reach).max())
    object_ = np.pad(mask, border)
    filled = np.pad(np.where(mask, values, 0.0), border)
    stride = object_.shape[1]
    flat_object, flat_values = object_.reshape(-1), filled.reshape(-1)
    margin = np.zeros_like(object_)
    inner = slice(border, -border)
    margin[inner, inner] = _dilate(mask, radius) & ~mask
    open_ = np.flatnonzero(margin)
    for dy, dx in reach:
        source = open_ + (dy * stride + dx)
        found = flat_object[source]
        if not found.any():
            continue
        flat_values[open_[found]] = flat_values[source[found]]
        open_ = open_[~found]
        if open_.size == 0:
            break
    cut = border - radius
    return filled[cut : filled.shape[0] - cut, cut : filled.shape[1] - cut]


@cache
def _reach(radius: int) -> npt.NDArray[Any]:
    """Offsets (dy, dx) in the order in which the nearest object pixel is looked for."""
    farthest = 2 * radius * radius  # a corner of the square, squared
    side = int(np.sqrt(farthest))
    dy, dx = (g.reshape(-1) for g in np.mgrid[-side : side + 1, -side : side + 1])
    squared = dy * dy + dx * dx
    order = np.lexsort((dy, dx, squared))
    order = order[(squared[order] > 0) & (squared[order] <= farthest)]
    return np.stack([dy[order], dx[order]], axis=1)


def _dilate(mask: BoolArray, radius: int) -> BoolArray:
    """Grow by a square of side 2 * radius + 1."""
    grown = mask.copy()
    for shift in range(1, radius + 1):
        grown[:, shift:] |= mask[:, :-shift]
        grown[:, :-shift] |= mask[:, shift:]
    wide = grown.copy()
    for shift in range(1, radius + 1):
        grown[shift:] |= wide[:-shift]
        grown[:-shift] |= wide[shift:]
    return grown
