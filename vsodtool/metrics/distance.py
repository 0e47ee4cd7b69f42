"""Euclidean distance to the nearest object pixel.

The transform is separable: the nearest object pixel of each row, then the best of the rows. The second step
tries the rows from the nearest outwards and stops where no row further off can be better: two operations on
16-bit integers per try, over many rows at a time.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from vsodtool.metrics.arguments import BoolArray

Uint16Array: TypeAlias = npt.NDArray[np.uint16]

LIMIT = 180  # LIMIT² + LIMIT² fits into 16 bits
STRIP = 64  # rows at a time: fewer cost more calls, more end later


def squared_distance(mask: BoolArray, wanted: BoolArray) -> Uint16Array:
    """Squared Euclidean distance to the nearest object pixel, exact up to LIMIT pixels.

    Args:
        mask: bool (H, W), True = object; at least one pixel.
        wanted: bool (H, W), where the distance is needed.

    Returns:
        uint16 (H, W), 0 where it is not wanted; LIMIT² where the nearest object pixel is LIMIT pixels away or
        more.
    """
    rows = np.flatnonzero(mask.any(axis=1))
    first, end = int(rows[0]), int(rows[-1]) + 1
    along = _distance_in_row(mask[first:end])
    along *= along
    best = np.full(mask.shape, LIMIT**2, np.uint16)
    best[first:end] = along
    best *= wanted
    height, width = mask.shape
    sums = np.empty((STRIP, width), np.uint16)
    for top in range(0, height, STRIP):
        bottom = min(top + STRIP, height)
        strip = best[top:bottom]
        nearest = max(1, first - bottom + 1, top - end + 1)
        farthest = min(LIMIT, max(end - top, bottom - first))
        for shift in range(nearest, farthest):
            square = shift * shift
            if (shift - nearest) % 4 == 0 and square >= int(strip.max()):
                break
            for moved in (top + shift, top - shift):
                start, stop = max(moved, first), min(moved + bottom - top, end)
                if start < stop:
                    part, target = sums[: stop - start], strip[start - moved : stop - moved]
                    np.add(along[start - first : stop - first], square, out=part)
                    np.minimum(target, part, out=target)
    return best


def _distance_in_row(mask: BoolArray) -> Uint16Array:
    """Distance to the nearest object pixel of the same row, at most LIMIT."""
    width = mask.shape[1]
    columns = np.arange(width, dtype=np.int32)
    before = np.where(mask, columns, np.int32(-LIMIT))
    np.maximum.accumulate(before, axis=1, out=before)
    np.subtract(columns, before, out=before)
    after = np.where(mask, columns, np.int32(width + LIMIT))[:, ::-1]
    np.minimum.accumulate(after, axis=1, out=after)
    after = after[:, ::-1]
    after -= columns
    np.minimum(before, after, out=before)
    np.minimum(before, LIMIT, out=before)
    return before.astype(np.uint16)
