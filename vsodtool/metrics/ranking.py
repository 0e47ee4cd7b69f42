"""Rank correlation: does one series rise where the other does?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vsodtool.errors import DataError
from vsodtool.metrics.arguments import FloatArray


def spearman(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Spearman's rank correlation; ties get the mean of their ranks.

    Args:
        a: n numbers.
        b: n numbers.

    Returns:
        rho in [-1, 1]; NaN where it is undefined: fewer than two values, or one series is constant.

    Raises:
        DataError: not two series of one length, or a value is NaN.
    """
    x, y = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise DataError(f"expected two series of one length, found shapes {x.shape} and {y.shape}")
    if np.isnan(x).any() or np.isnan(y).any():
        raise DataError("expected numbers that can be ranked, found NaN", "leave these pairs out")
    if x.size < 2:
        return float("nan")
    rx, ry = _ranks(x), _ranks(y)
    rx -= rx.mean()
    ry -= ry.mean()
    scale = float(np.sqrt((rx @ rx) * (ry @ ry)))
    return float("nan") if scale == 0 else float(np.clip(rx @ ry / scale, -1, 1))


def _ranks(values: FloatArray) -> FloatArray:
    """Ranks from 1, ties averaged."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: FloatArray = (last - (counts - 1) / 2)[group]
    return ranks
