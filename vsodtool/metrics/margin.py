"""Continue a map of the object a few pixels beyond its edge, with the value of the nearest object pixel."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from vsodtool.metrics.arguments import BoolArray, FloatArray


def fill_margin(values: FloatArray, mask: BoolArray, radius: int) -> FloatArray:
    """Give each pixel near the object the value of the nearest object pixel.

    Args:
        values: float64 (H, W), 0 outside the object.
        mask: bool (H, W), True = object.
        radius: how far, as a Chebyshev distance; at least 1.

    Returns:
        float64 (H + 2 * radius, W + 2 * radius): the values of the object, continued within `radius` of it, 0
        elsewhere and on the frame of `radius` pixels around the image. Of several object pixels at the same
        distance it is the one with the smallest column, then the smallest row: the one that
        `scipy.ndimage.distance_transform_edt` names, whose passes run along the columns, then along the rows,
        and keep the first of equals.
    """
    offsets = _nearest_first(radius)
    border = max(dy for dy, _ in offsets)
    inner = slice(border, -border)
    objects, filled = np.pad(mask, border), np.pad(values, border)
    margin = np.zeros_like(objects)
    margin[inner, inner] = _grow(mask, radius) & ~mask
    flat_objects, flat_values, stride = objects.reshape(-1), filled.reshape(-1), objects.shape[1]
    left = np.flatnonzero(margin)
    for dy, dx in offsets:
        source = left + (dy * stride + dx)
        found = flat_objects.take(source)
        flat_values[left[found]] = flat_values.take(source[found])
        left = left[~found]
        if left.size == 0:
            break
    cut = slice(border - radius, radius - border)
    return filled[cut, cut]


@cache
def _nearest_first(radius: int) -> tuple[tuple[int, int], ...]:
    """Offsets (dy, dx) in the order in which the nearest object pixel is looked for."""
    farthest = 2 * radius * radius  # the corner of the square, squared
    side = range(-math.isqrt(farthest), math.isqrt(farthest) + 1)
    disk = ((dy, dx) for dy in side for dx in side if 0 < dy * dy + dx * dx <= farthest)
    return tuple(sorted(disk, key=lambda offset: (math.hypot(*offset), offset[1], offset[0])))


def _grow(mask: BoolArray, radius: int) -> BoolArray:
    """Dilate by a square of side 2 * radius + 1."""
    grown = mask.copy()
    for shift in range(1, radius + 1):
        grown[:, shift:] |= mask[:, :-shift]
        grown[:, :-shift] |= mask[:, shift:]
    wide = grown.copy()
    for shift in range(1, radius + 1):
        grown[shift:] |= wide[:-shift]
        grown[:-shift] |= wide[shift:]
    return grown
