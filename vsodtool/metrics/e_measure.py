"""E-measure: how well a binary map is aligned with the truth, pixel by pixel and as a whole.

Fan et al., "Enhanced-alignment Measure for Binary Foreground Map Evaluation", IJCAI 2018. A pixel's alignment
depends only on whether it is predicted and whether it is true, so four counts are enough.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vsodtool.metrics.arguments import FloatArray

EPS = float(np.spacing(1))


def e_measure(hits: npt.ArrayLike, positives: npt.ArrayLike, truth: int, size: int) -> FloatArray:
    """E-measure from counts.

    Args:
        hits: true positives, any shape.
        positives: predicted pixels, same shape.
        truth: object pixels of the truth.
        size: pixels of the frame.

    Returns:
        float64 of that shape. An empty truth asks for an empty prediction, a full one for a full prediction.
        As in the reference the sum is divided by `size - 1`, so that a perfect map scores slightly above 1;
        of one pixel by 1, where PySODMetrics divides by a machine epsilon and scores 4.5e15.
    """
    tp, p = np.asarray(hits, np.float64), np.asarray(positives, np.float64)
    if truth == 0:
        total = size - p
    elif truth == size:
        total = p
    else:
        mean_p, mean_t = p / size, truth / size
        missed = truth - tp
        total = (
            tp * _enhanced(1 - mean_p, 1 - mean_t)
            + (p - tp) * _enhanced(1 - mean_p, -mean_t)
            + missed * _enhanced(-mean_p, 1 - mean_t)
            + (size - p - missed) * _enhanced(-mean_p, -mean_t)
        )
    return np.asarray(total / max(size - 1, 1))


def _enhanced(a: FloatArray, b: float) -> FloatArray:
    """The alignment of two deviations from the mean (equation 2), enhanced (equation 4)."""
    alignment = 2 * a * b / (a**2 + b**2 + EPS)
    return np.asarray((alignment + 1) ** 2 / 4)
