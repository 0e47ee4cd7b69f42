"""A prediction beside its truth, and the measures of it: what a line of `config.measures` computes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from vsodtool.metrics.arguments import BoolArray, FloatArray
from vsodtool.metrics.boundary import boundary_f
from vsodtool.metrics.frame import MEASURES, FrameScores, score_frame
from vsodtool.metrics.levels import Levels, Normalize, as_levels
from vsodtool.metrics.region import region_j
from vsodtool.metrics.stability import temporal_stability

Parts: TypeAlias = Mapping[str, float | FloatArray | Mapping[int, float] | None]
Masks: TypeAlias = tuple[BoolArray, BoolArray]


@dataclass(frozen=True)
class Pair:
    """One frame: what is predicted, and what is true.

    Attributes:
        prediction: grey map (H, W), uint8 or uint16.
        truth: bool (H, W), all objects as one.
        objects: id -> predicted and true mask, bool (H, W), of those that either has; None: all are one.
        void: bool (H, W), pixels that nobody is judged by; None: there are none.
        before: predicted and true mask of the frame before; None where there is none.
        measures: what is asked of it; what they have in common is computed once.
        normalize: "min-max" or "none", see `as_levels`.
        threshold: from here on a pixel is object, where a mask is needed.
    """

    prediction: npt.NDArray[Any]
    truth: BoolArray
    objects: Mapping[int, Masks] | None = None
    void: BoolArray | None = None
    before: Masks | None = None
    measures: Collection[str] = MEASURES
    normalize: Normalize = "none"
    threshold: float = 0.5

    @cached_property
    def levels(self) -> Levels:
        """The prediction as it is measured."""
        return as_levels(self.prediction, self.normalize)

    @cached_property
    def mask(self) -> BoolArray:
        """The prediction from the threshold on."""
        return np.asarray((self.levels.values >= self.threshold)[self.levels.index])

    @property
    def mask_above(self) -> BoolArray:
        """The prediction above the threshold, as the benchmark of the Human Correction Effort cuts."""
        return np.asarray((self.levels.values > self.threshold)[self.levels.index])

    @cached_property
    def saliency(self) -> FrameScores:
        """All measures of maps that are asked for."""
        return score_frame(
            self.prediction,
            self.truth,
            measures=[name for name in self.measures if name in MEASURES],
            normalize=self.normalize,
            threshold=self.threshold,
        )

    @property
    def masks(self) -> Mapping[int, Masks]:
        """Object id -> predicted and true mask."""
        return {1: (self.mask, self.truth)} if self.objects is None else self.objects


def mae(pair: Pair) -> Parts:
    """Mean absolute error."""
    return {"mae": pair.saliency.mae}


def f(pair: Pair) -> Parts:
    """F-measure, and the precision and recall that it is made of."""
    found = pair.saliency
    return {
        "precision_curve": found.precision_curve,
        "recall_curve": found.recall_curve,
        "f_curve": found.f_curve,
        "adaptive_f": found.adaptive_f,
    }


def weighted(pair: Pair) -> Parts:
    """Weighted F-measure."""
    return {"weighted_f": pair.saliency.weighted_f}


def structure(pair: Pair) -> Parts:
    """S-measure."""
    return {"s_measure": pair.saliency.s_measure}


def e(pair: Pair) -> Parts:
    """E-measure."""
    return {"e_curve": pair.saliency.e_curve, "adaptive_e": pair.saliency.adaptive_e}


def iou(pair: Pair) -> Parts:
    """Intersection over union of all objects as one."""
    return {"iou": pair.saliency.iou}


def j(pair: Pair) -> Parts:
    """Region similarity of each object."""
    return {"j": {number: region_j(*masks, pair.void) for number, masks in pair.masks.items()}}


def boundary(pair: Pair) -> Parts:
    """Boundary accuracy of each object."""
    return {
        "boundary_f": {number: boundary_f(*masks, void=pair.void) for number, masks in pair.masks.items()}
    }


def stability(pair: Pair) -> Parts:
    """Temporal stability, where there is a frame before."""
    if pair.before is None:
        return {}
    return {"stability": temporal_stability(pair.before[0], pair.mask, pair.before[1], pair.truth)}
