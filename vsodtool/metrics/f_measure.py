"""Precision, recall and F-measure at every threshold and at the adaptive one.

Achanta et al., "Frequency-tuned Salient Region Detection", CVPR 2009; β² = 0.3.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from vsodtool.metrics.arguments import FloatArray

BETA_SQUARED = 0.3


def precision_recall(
    hits: npt.ArrayLike, positives: npt.ArrayLike, truth: int
) -> tuple[FloatArray, FloatArray]:
    """Precision and recall from counts.

    Args:
        hits: true positives, any shape.
        positives: predicted pixels, same shape.
        truth: object pixels of the truth.

    Returns:
        Precision (0 where nothing is predicted) and recall (0 where the truth is empty), float64, same shape.
    """
    hits = np.asarray(hits, np.float64)
    return hits / np.maximum(positives, 1), hits / max(truth, 1)


def f_measure(
    precision: npt.ArrayLike, recall: npt.ArrayLike, beta_squared: float = BETA_SQUARED
) -> npt.NDArray[Any]:
    """(1 + β²) P R / (β² P + R), and 0 where P R = 0.

    Args:
        precision: in [0, 1], any shape.
        recall: in [0, 1], same shape.
        beta_squared: weight of precision against recall.

    Returns:
        float64 of that shape, in [0, 1].
    """
    p, r = np.asarray(precision, np.float64), np.asarray(recall, np.float64)
    numerator = (1 + beta_squared) * p * r
    denominator = np.where(numerator == 0, 1, beta_squared * p + r)
    return np.asarray(numerator / denominator)
