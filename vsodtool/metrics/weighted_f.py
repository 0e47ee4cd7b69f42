"""Weighted F-measure: errors beside a hit weigh less, errors far from the object more.

Margolin et al., "How to Evaluate Foreground Maps?", CVPR 2014; β² = 1.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from vsodtool.metrics.arguments import BoolArray, FloatArray
from vsodtool.metrics.distance import LIMIT, fill_margin, squared_distance
from vsodtool.metrics.levels import Levels

EPS = float(np.spacing(1))
RADIUS = 3  # of the 7 x 7 Gaussian
SIGMA = 5.0
HALF = 5.0  # pixels from the object at which an error weighs 1.5 of at most 2


def weighted_f(levels: Levels, truth: BoolArray, beta_squared: float = 1.0) -> float:
    """Weighted F-measure of a frame.

    Args:
        levels: the prediction, (H, W).
        truth: bool (H, W).
        beta_squared: weight of precision against recall.

    Returns:
        F in [0, 1]; 0 where the truth is empty. Beyond `LIMIT` pixels from the object an error weighs 2, exactly
        2 - 1.5e-11 or more.
    """
    number = int(np.count_nonzero(truth))
    if number == 0:
        return 0.0
    inside = _error_inside(levels, truth)
    beside = _error_beside(levels, truth)
    recall = 1 - inside / number
    hits = number - inside
    precision = hits / (hits + beside + EPS)
    return (1 + beta_squared) * recall * precision / (recall + beta_squared * precision + EPS)


def _error_inside(levels: Levels, truth: BoolArray) -> float:
    """Sum over the object of the error or, where that is less, of the errors around (pixel dependency)."""
    error = np.abs(levels.values[levels.index] - truth)
    wrong = truth & (error > 0)
    if not wrong.any():
        return 0.0
    filled = fill_margin(error, truth, RADIUS)
    blurred = _blur(filled)
    return float(np.minimum(blurred, error)[truth].sum())


def _error_beside(levels: Levels, truth: BoolArray) -> float:
    """Sum over the background of the errors, weighted by their distance from the object (pixel importance)."""
    wrong = ~truth & (levels.values > 0)[levels.index]
    if not wrong.any():
        return 0.0
    squared = squared_distance(truth, wrong)[wrong]
    return float(levels.values[levels.index[wrong]] @ _importance()[squared])


def _blur(padded: FloatArray) -> FloatArray:
    """7 x 7 Gaussian of a map that has RADIUS zeros around it; returns the map without them."""
    kernel = _kernel()
    size = 2 * RADIUS
    rows = sum(kernel[k] * padded[k : padded.shape[0] - size + k] for k in range(size + 1))
    return np.asarray(sum(kernel[k] * rows[:, k : rows.shape[1] - size + k] for k in range(size + 1)))


@cache
def _kernel() -> FloatArray:
    """One factor of MATLAB's fspecial('gaussian', 7, 5), which is separable."""
    x = np.arange(-RADIUS, RADIUS + 1)
    kernel = np.exp(-(x**2) / (2 * SIGMA**2))
    return np.asarray(kernel / kernel.sum())


@cache
def _importance() -> FloatArray:
    """float64 (65536,): weight of an error by its squared distance from the object (equation of B, section 4.2)."""
    weight = 2 - np.exp(np.log(0.5) / HALF * np.sqrt(np.arange(1 << 16)))
    weight[LIMIT**2 :] = 2
    return np.asarray(weight)
