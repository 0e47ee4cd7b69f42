"""Human Correction Effort: how many clicks an annotator needs to turn a predicted mask into the true one.

Qin et al., "Highly Accurate Dichotomous Image Segmentation", ECCV 2022, section 4. Computed by the package
`pysodmetrics`, an extra: it brings scipy, scikit-image and scikit-learn, and an OpenCV below 5.
"""

from __future__ import annotations

import threading
import warnings
from functools import cache
from typing import Any

import numpy as np

from vsodtool.metrics.arguments import BoolArray, require_mask_pair
from vsodtool.metrics.pair import Pair, Parts

_IMPORT = threading.Lock()


def hce(pair: Pair) -> Parts:
    """Clicks needed to correct a frame."""
    return {"hce": human_correction_effort(pair.mask_above, pair.truth)}


def human_correction_effort(pred: BoolArray, truth: BoolArray) -> float:
    """Clicks needed to correct a mask; errors along the outline of up to five pixels are forgiven.

    Args:
        pred: bool (H, W); the benchmark takes (stretched) prediction > 0.5.
        truth: bool (H, W).

    Returns:
        Number of clicks, 0 where nothing is to correct. OpenCV before 4.13 simplifies lines differently.

    Raises:
        DataError: not two bool masks of one size.
        ImportError: the package is not installed.
    """
    require_mask_pair(pred, truth)
    with _IMPORT:
        reference = _reference()
    return float(reference.cal_hce(pred.astype(np.float64), truth))


@cache
def _reference() -> Any:
    """The measure of the package. What it imports warns of its own deprecations."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from py_sod_metrics import HumanCorrectionEffortMeasure

        return HumanCorrectionEffortMeasure()
