"""S-measure: likeness of structure, of the object against the background and of four regions.

Fan et al., "Structure-measure: A New Way to Evaluate Foreground Maps", ICCV 2017; α = 0.5. All means,
variances and covariances follow from the counts of the four blocks that meet at the centroid of the truth.
"""

from __future__ import annotations

import math

import numpy as np

from vsodtool.metrics.arguments import BoolArray, FloatArray
from vsodtool.metrics.counts import Counts, IntArray, merge
from vsodtool.metrics.levels import Levels

ALPHA = 0.5
EPS = float(np.spacing(1))


def centroid_corner(truth: BoolArray) -> tuple[int, int]:
    """Rows above and columns left of the corner: the rounded centroid belongs to the left top block.

    Args:
        truth: bool (H, W), not empty.
    """
    rows, columns = np.count_nonzero(truth, axis=1), np.count_nonzero(truth, axis=0)
    y, x = (np.arange(n.size) @ n / n.sum() for n in (rows, columns))
    return int(np.round(y)) + 1, int(np.round(x)) + 1


def s_measure(levels: Levels, blocks: list[Counts], corner: tuple[int, int]) -> float:
    """S-measure of a frame.

    Args:
        levels: the prediction, (H, W).
        blocks: counts of the four blocks, as `count_blocks` returns them; one block will do where the truth
            is empty or full.
        corner: where they meet.

    Returns:
        S, at most 1. An empty truth scores one minus the mean prediction, a full one the mean prediction.
        Where the centroid lies in the last row or column, a block has no pixels. It has no weight here; the
        reference returns NaN for the frame, with a warning.
    """
    whole = merge(blocks)
    if whole.truth in (0, whole.size):
        mean = _mean(whole.all, levels.values)
        return mean if whole.truth else 1 - mean
    share = whole.truth / whole.size
    inside = _object_score(whole.inside, levels.values)
    beside = _object_score(whole.beside, 1 - levels.values)
    objects = inside * share + beside * (1 - share)
    regions = _region_score(levels, blocks, corner)
    return max(0.0, ALPHA * objects + (1 - ALPHA) * regions)


def _mean(counts: IntArray, values: FloatArray) -> float:
    return float(counts @ values) / int(counts.sum())


def _object_score(counts: IntArray, values: FloatArray) -> float:
    """Equation 5: high where the values are high and alike."""
    number, mean = int(counts.sum()), _mean(counts, values)
    spread = math.sqrt(float(counts @ (values - mean) ** 2) / (number - 1)) if number > 1 else 0.0
    return 2 * mean / (mean**2 + 1 + spread + EPS)


def _region_score(levels: Levels, blocks: list[Counts], corner: tuple[int, int]) -> float:
    """Equation 3: structural similarity of the blocks, weighted by their areas."""
    height, width = levels.index.shape
    y, x = corner
    slices = [
        (slice(None, y), slice(None, x)),
        (slice(None, y), slice(x, None)),
        (slice(y, None), slice(None, x)),
        (slice(y, None), slice(x, None)),
    ]
    return math.fsum(
        _similarity(levels, block, where) * (block.size / (height * width))
        for block, where in zip(blocks, slices, strict=True)
        if block.size
    )


def _similarity(levels: Levels, block: Counts, where: tuple[slice, slice]) -> float:
    """Structural similarity of prediction and truth in a block."""
    values, every, size = levels.values, block.all, block.size
    x, y = _mean(every, values), block.truth / size
    if np.count_nonzero(every) == 1:
        # Constant: the variance is 0 but for the rounding of the mean, and whether it is exactly 0 decides
        # between the scores 1 and 0 below. So round as the reference does.
        x = float(levels.image()[where].mean())
    from_mean = values - x
    variance_x = float(every @ from_mean**2) / (size - 1 + EPS)
    variance_y = (block.truth * (1 - y) ** 2 + (size - block.truth) * y**2) / (size - 1 + EPS)
    covariance = float(block.inside @ from_mean * (1 - y) - block.beside @ from_mean * y) / (size - 1 + EPS)
    numerator = 4 * x * y * covariance
    denominator = (x**2 + y**2) * (variance_x + variance_y)
    if numerator != 0:
        return numerator / (denominator + EPS)
    return 1.0 if denominator == 0 else 0.0
