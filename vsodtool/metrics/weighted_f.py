"""Weighted F-measure: errors beside a hit weigh less, errors far from the object more.

Margolin et al., "How to Evaluate Foreground Maps?", CVPR 2014; β² = 1. Only erroneous pixels contribute, so
all work is confined to the rectangles that hold them.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from vsodtool.metrics.arguments import BoolArray, FloatArray
from vsodtool.metrics.distance import LIMIT, squared_distance
from vsodtool.metrics.levels import Levels

EPS = float(np.spacing(1))
RADIUS = 3  # of the 7 x 7 Gaussian
SIGMA = 5.0
HALF = 5.0  # pixels from the object at which an error weighs 1.5, half of the way from 1 to 2
CONTEXT = 8  # >= RADIUS + distance from there to the nearest object pixel (sqrt(2) * RADIUS)


def weighted_f(levels: Levels, truth: BoolArray, beta_squared: float = 1.0) -> float:
    """Weighted F-measure of a frame.

    Args:
        levels: the prediction, (H, W).
        truth: bool (H, W).
        beta_squared: weight of precision against recall.

    Returns:
        F in [0, 1]; 0 where the truth is empty. LIMIT pixels from the object and further the weight of an
        error is taken as 2, where the paper has 2 - 1.5e-11 or more.
    """
    number = int(np.count_nonzero(truth))
    if number == 0:
        return 0.0
    missed = _error_inside(levels, truth)
    hits, false = number - missed, _error_beside(levels, truth)
    recall = 1 - missed / number
    precision = hits / (hits + false + EPS)
    return (1 + beta_squared) * recall * precision / (recall + beta_squared * precision + EPS)


def _error_inside(levels: Levels, truth: BoolArray) -> float:
    """Sum over the object of the error or, where that is less, of the errors around (pixel dependency)."""
    wrong = truth & (levels.index < np.searchsorted(levels.values, 1))
    if not wrong.any():
        return 0.0
    crop = _rectangle(wrong, CONTEXT)
    inside = truth[crop]
    error = (1 - levels.values).take(levels.index[crop]) * inside
    around = _blur(fill_margin(error, inside, RADIUS))
    return float(np.minimum(around, error, out=around).sum())


def _error_beside(levels: Levels, truth: BoolArray) -> float:
    """Sum over the background of the errors, by their distance from the object (pixel importance)."""
    wrong = ~truth & (levels.index >= np.searchsorted(levels.values, 0, side="right"))
    if not wrong.any():
        return 0.0
    crop = _rectangle(truth | wrong, 0)
    weight = _importance().take(squared_distance(truth[crop]))  # elsewhere in the background the error is 0
    return float(np.vdot(levels.values.take(levels.index[crop]), weight))


def _rectangle(mask: BoolArray, context: int) -> tuple[slice, slice]:
    """The rectangle around the pixels of a mask and `context` more, inside the image."""
    ends = []
    for axis in (1, 0):
        hit = np.flatnonzero(mask.any(axis=axis))
        ends.append(slice(max(int(hit[0]) - context, 0), int(hit[-1]) + 1 + context))
    return ends[0], ends[1]


def _blur(padded: FloatArray) -> FloatArray:
    """7 x 7 Gaussian of a map that stands in a frame of RADIUS zeros; returns it without the frame."""
    kernel, width = _kernel(), padded.shape[1]
    # rows end and begin with zeros, so that the whole can be blurred as one row
    across = np.correlate(padded.reshape(-1), kernel, "same").reshape(-1, width)[:, RADIUS : width - RADIUS]
    height = padded.shape[0] - 2 * RADIUS
    result: FloatArray = across[RADIUS : RADIUS + height] * kernel[RADIUS]
    pair = np.empty_like(result)
    for k in range(RADIUS):
        np.add(across[k : k + height], across[2 * RADIUS - k : 2 * RADIUS - k + height], out=pair)
        pair *= kernel[k]
        result += pair
    return result


@cache
def _kernel() -> FloatArray:
    """One factor of MATLAB's fspecial('gaussian', 7, 5), which is separable."""
    kernel = np.exp(-(np.arange(-RADIUS, RADIUS + 1) ** 2) / (2 * SIGMA**2))
    return np.asarray(kernel / kernel.sum())


@cache
def _importance() -> FloatArray:
    """float64 (LIMIT² + 1,): weight of an error by its squared distance from the object (B in section 4.2).

    0 at distance 0: on the object other weights hold.
    """
    weight = 2 - np.exp(np.log(0.5) / HALF * np.sqrt(np.arange(LIMIT**2 + 1)))
    weight[0], weight[-1] = 0, 2
    return np.asarray(weight)


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
    cut = border - radius
    return filled[cut : filled.shape[0] - cut, cut : filled.shape[1] - cut]


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
