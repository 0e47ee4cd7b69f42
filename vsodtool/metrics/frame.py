"""All measures of one frame, from one look at it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vsodtool.errors import DataError
from vsodtool.metrics.arguments import BoolArray, FloatArray, require_same_size
from vsodtool.metrics.counts import above, above_bins, adaptive_threshold, count_blocks, merge
from vsodtool.metrics.e_measure import e_measure
from vsodtool.metrics.f_measure import f_measure, precision_recall
from vsodtool.metrics.levels import Normalize, as_levels
from vsodtool.metrics.s_measure import centroid_corner, s_measure
from vsodtool.metrics.weighted_f import weighted_f

MEASURES = ("mae", "f", "e", "s_measure", "weighted_f", "iou")


@dataclass(frozen=True)
class FrameScores:
    """Scores of a frame; None where the measure was not asked for.

    Attributes:
        mae: mean absolute error.
        s_measure: structure measure.
        weighted_f: weighted F-measure.
        precision_curve: float64 (256,), element k at prediction >= k/255.
        recall_curve: float64 (256,), likewise.
        f_curve: float64 (256,), likewise, β² = 0.3.
        e_curve: float64 (256,), likewise.
        adaptive_precision: precision at the adaptive threshold.
        adaptive_recall: recall at the adaptive threshold.
        adaptive_f: F-measure at the adaptive threshold.
        adaptive_e: E-measure at the adaptive threshold.
        iou: intersection over union at `threshold`; 1 where both masks are empty.
        empty_truth: there is no object in the truth; F, recall and weighted F are then 0, however good the
            prediction.
    """

    mae: float | None = None
    s_measure: float | None = None
    weighted_f: float | None = None
    precision_curve: FloatArray | None = None
    recall_curve: FloatArray | None = None
    f_curve: FloatArray | None = None
    e_curve: FloatArray | None = None
    adaptive_precision: float | None = None
    adaptive_recall: float | None = None
    adaptive_f: float | None = None
    adaptive_e: float | None = None
    iou: float | None = None
    empty_truth: bool = False


def score_frame(
    prediction: npt.NDArray[Any],
    truth: BoolArray,
    *,
    measures: Collection[str] = MEASURES,
    normalize: Normalize = "min-max",
    threshold: float = 0.5,
) -> FrameScores:
    """Score a prediction.

    Args:
        prediction: (H, W); uint8, uint16, bool, or float in [0, 1].
        truth: bool (H, W).
        measures: which, of MEASURES; "f" brings precision and recall along.
        normalize: "min-max" stretches the prediction first, "none" leaves it; see `as_levels`.
        threshold: what counts as object for `iou`, after the stretch: prediction >= threshold.

    Returns:
        The scores, equal to `pysodmetrics` within 1e-9.

    Raises:
        DataError: sizes differ, a type or value out of place, or a measure that does not exist.
    """
    unknown = sorted(set(measures) - set(MEASURES))
    if unknown:
        raise DataError(f"measures: expected {', '.join(MEASURES)}, found {', '.join(unknown)}")
    require_same_size(prediction, truth)
    if truth.dtype != np.bool_:
        raise DataError(f"truth: expected a bool mask, found {truth.dtype}", "binarise it: `mask > 128`")
    levels = as_levels(prediction, normalize)
    corner = centroid_corner(truth) if "s_measure" in measures and truth.any() else None
    blocks = count_blocks(levels, truth, corner)
    counts = merge(blocks)
    size, objects = counts.size, counts.truth
    scores: dict[str, Any] = {"empty_truth": objects == 0}
    if "mae" in measures:
        error = counts.beside @ levels.values + counts.inside @ (1 - levels.values)
        scores["mae"] = float(error) / size
    if "s_measure" in measures:
        scores["s_measure"] = s_measure(levels, blocks, corner or (size, size))
    if "weighted_f" in measures:
        scores["weighted_f"] = weighted_f(levels, truth)
    if "iou" in measures:
        hits, positives = above(levels, counts, threshold)
        union = positives + objects - hits
        scores["iou"] = hits / union if union else 1.0
    if "f" in measures or "e" in measures:
        curve = above_bins(levels, counts)
        adaptive = above(levels, counts, adaptive_threshold(levels, counts))
    if "f" in measures:
        precision, recall = precision_recall(*curve, objects)
        scores |= {
            "precision_curve": precision,
            "recall_curve": recall,
            "f_curve": f_measure(precision, recall),
        }
        p, r = (float(x) for x in precision_recall(*adaptive, objects))
        scores |= {"adaptive_precision": p, "adaptive_recall": r, "adaptive_f": float(f_measure(p, r))}
    if "e" in measures:
        scores["e_curve"] = e_measure(*curve, objects, size)
        scores["adaptive_e"] = float(e_measure(*adaptive, objects, size))
    return FrameScores(**scores)
