"""Mean absolute error of a probability map."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from vsodtool.errors import DataError
from vsodtool.metrics.arguments import BoolArray, require_same_size


def mean_absolute_error(pred: npt.NDArray[Any], truth: BoolArray) -> float:
    """Mean of |pred - truth| over the pixels.

    Args:
        pred: float (H, W) in [0, 1], or a bool mask.
        truth: bool (H, W).

    Returns:
        MAE in [0, 1].

    Raises:
        DataError: sizes differ, truth is not bool, or pred is neither bool nor a float map in [0, 1].
    """
    require_same_size(pred, truth)
    if truth.dtype != np.bool_:
        raise DataError(
            f"truth: expected a bool mask, found {truth.dtype}", "binarise it, for instance `mask > 127`"
        )
    if pred.dtype == np.bool_:
        return float(np.count_nonzero(pred != truth) / truth.size)
    if not np.issubdtype(pred.dtype, np.floating):
        raise DataError(
            f"pred: expected a float map in [0, 1] or a bool mask, found {pred.dtype}",
            "divide an 8-bit map by 255",
        )
    low, high = float(pred.min()), float(pred.max())
    if not (low >= 0 and high <= 1):  # also catches NaN
        raise DataError(
            f"pred: expected values in [0, 1], found [{low:g}, {high:g}]", "divide an 8-bit map by 255"
        )
    return float(np.abs(pred.astype(np.float64) - truth).mean())
