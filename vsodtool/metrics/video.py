"""From the values of the frames to those of a video: mean, recall and decay.

Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object Segmentation", CVPR 2016,
section 5.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from vsodtool.errors import DataError

RECALL_ABOVE = 0.5
QUARTERS = 4


@dataclass(frozen=True)
class SequenceStatistics:
    """One measure of one object in one video.

    Attributes:
        mean: mean over the frames.
        recall: share of the frames with a value above 0.5.
        decay: mean of the first quarter minus mean of the last; positive where quality is lost on the way.
    """

    mean: float
    recall: float
    decay: float


def sequence_statistics(values: npt.ArrayLike) -> SequenceStatistics:
    """Statistics of the values of consecutive frames.

    The quarters are those of the DAVIS tools: with N frames they end at the frames round(1 + k (N - 1) / 4),
    halves rounded up, and both neighbours own the frame on their border. The tools keep these indices in 8
    bits, so that their decay is wrong for more than 256 frames; here it is not.

    Args:
        values: (T,) values in [0, 1], T >= 1. The benchmark leaves out the first and the last frame; that is
            the caller's choice.

    Raises:
        DataError: no values, more than one dimension, or a value that is not finite.
    """
    series = np.asarray(values, np.float64)
    if series.ndim != 1 or series.size == 0 or not np.isfinite(series).all():
        raise DataError(
            f"expected finite values of at least one frame, found shape {series.shape}",
            "score at least one frame of the video",
        )
    first, last = (series[part] for part in (_quarters(series.size)[0], _quarters(series.size)[-1]))
    return SequenceStatistics(
        mean=float(series.mean()),
        recall=float((series > RECALL_ABOVE).mean()),
        decay=float(first.mean() - last.mean()),
    )


def mean_statistics(statistics: list[SequenceStatistics]) -> SequenceStatistics:
    """Mean over objects or videos, each with the same weight.

    Raises:
        DataError: there are none.
    """
    if not statistics:
        raise DataError("expected the statistics of at least one video", "score at least one video")
    rows = [(s.mean, s.recall, s.decay) for s in statistics]
    mean, recall, decay = (float(column) for column in np.mean(rows, axis=0))
    return SequenceStatistics(mean, recall, decay)


def _quarters(frames: int) -> list[slice]:
    """The frames of each quarter; neighbours share one. In integers: (k (N - 1) / 4 + 1/2) rounded down."""
    borders = [(2 * k * (frames - 1) + QUARTERS) // (2 * QUARTERS) for k in range(QUARTERS + 1)]
    return [slice(a, b + 1) for a, b in pairwise(borders)]
