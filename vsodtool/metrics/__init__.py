"""Measures of masks, of saliency maps and of confidences; numpy only.

Masks are bool (H, W); maps are float (H, W) in [0, 1] or integers of 8 or 16 bits. A pair of another shape or
kind is a `DataError`.

The saliency measures equal the package `pysodmetrics` 1.6 within 1e-9 on every frame, which the tests check
against the package itself. It is not used at run time: it needs scipy, scikit-image and scikit-learn, holds
OpenCV below 5, and takes 3.5 to 9 times as long. MAE, F, E, S and weighted F of a frame of 854x480 cost it
55 to 65 ms, and 6 to 18 ms here, on one core (benchmarks/metrics.py).
"""

from vsodtool.metrics.boundary import boundary_f
from vsodtool.metrics.error import mean_absolute_error
from vsodtool.metrics.frame import MEASURES, FrameScores, score_frame
from vsodtool.metrics.levels import Normalize
from vsodtool.metrics.ranking import spearman
from vsodtool.metrics.region import region_j
from vsodtool.metrics.sparsification import Sparsification, SparsificationCounts, sparsification
from vsodtool.metrics.stability import temporal_stability
from vsodtool.metrics.video import SequenceStatistics, mean_statistics, sequence_statistics

__all__ = [
    "MEASURES",
    "FrameScores",
    "Normalize",
    "SequenceStatistics",
    "Sparsification",
    "SparsificationCounts",
    "boundary_f",
    "mean_absolute_error",
    "mean_statistics",
    "region_j",
    "score_frame",
    "sequence_statistics",
    "sparsification",
    "spearman",
    "temporal_stability",
]
