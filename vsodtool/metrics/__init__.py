"""Measures of masks and of confidences; numpy only.

Masks are bool (H, W); maps are float (H, W) in [0, 1]. A pair of another shape or kind is a `DataError`.
"""

from vsodtool.metrics.boundary import boundary_f
from vsodtool.metrics.error import mean_absolute_error
from vsodtool.metrics.frame import MEASURES, FrameScores, score_frame
from vsodtool.metrics.levels import Normalize
from vsodtool.metrics.ranking import spearman
from vsodtool.metrics.region import region_j
from vsodtool.metrics.sparsification import Sparsification, SparsificationCounts, sparsification

__all__ = [
    "MEASURES",
    "FrameScores",
    "Normalize",
    "Sparsification",
    "SparsificationCounts",
    "boundary_f",
    "mean_absolute_error",
    "region_j",
    "score_frame",
    "sparsification",
    "spearman",
]
