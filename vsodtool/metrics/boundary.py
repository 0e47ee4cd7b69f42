"""Boundary accuracy F: how much of each outline lies near the other one.

Perazzi et al., CVPR 2016, section 5.1, with the morphological approximation of the DAVIS benchmark: a
boundary pixel is matched if the other boundary has a pixel within `ceil(tolerance * diagonal)` (Euclidean).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from vsodtool.errors import DataError
from vsodtool.metrics.arguments import BoolArray, require_mask_pair, without_void

IntArray = npt.NDArray[np.intp]


def boundary_f(
    pred: BoolArray, truth: BoolArray, tolerance: float = 0.008, void: BoolArray | None = None
) -> float:
    """F measure of two outlines.

    Args:
        pred: bool (H, W).
        truth: bool (H, W).
        tolerance: greatest distance of a match, as a fraction of the image diagonal.
        void: bool (H, W), pixels that belong to neither mask, as DAVIS 2017 has it; None = there are none.

    Returns:
        F in [0, 1]; 1 where neither mask has an outline, 0 where only one has.

    Raises:
        DataError: not two bool masks of one size, or a tolerance that is negative or not finite.
    """
    require_mask_pair(pred, truth)
    pred, truth = without_void(pred, truth, void)
    if not (math.isfinite(tolerance) and tolerance >= 0):
        raise DataError(f"tolerance: expected a fraction >= 0, found {tolerance}", "0.008 is DAVIS's")
    radius = math.ceil(tolerance * float(np.linalg.norm(truth.shape)))
    points_pred, points_truth = np.nonzero(boundary(pred)), np.nonzero(boundary(truth))
    n_pred, n_truth = points_pred[0].size, points_truth[0].size
    if n_pred == 0 or n_truth == 0:
        return 1.0 if n_pred == n_truth else 0.0
    precision = _count_near(points_pred, points_truth, radius) / n_pred
    recall = _count_near(points_truth, points_pred, radius) / n_truth
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


def boundary(mask: BoolArray) -> BoolArray:
    """One-pixel boundary map: a pixel that differs from its right, lower or lower-right neighbour.

    Args:
        mask: bool (H, W).

    Returns:
        bool (H, W); neighbours outside the image do not count.
    """
    edge = np.zeros_like(mask)
    edge[:, :-1] = mask[:, :-1] != mask[:, 1:]
    edge[:-1] |= mask[:-1] != mask[1:]
    edge[:-1, :-1] |= mask[:-1, :-1] != mask[1:, 1:]
    return edge


def _count_near(points: tuple[IntArray, ...], others: tuple[IntArray, ...], radius: int) -> int:
    """How many of `points` have one of `others` within `radius` pixels.

    A disk is a stack of horizontal runs. With running sums along the rows of `others`, one run is one
    subtraction, asked only for the points still unmatched: most are settled by the first few rows.
    """
    top, left = others[0].min() - radius, others[1].min() - radius
    height, width = others[0].max() + radius + 1 - top, others[1].max() + radius + 1 - left
    raster = np.zeros((height, width + 1), np.int32)
    raster[others[0] - top, others[1] - left + 1] = 1
    sums = np.cumsum(raster, axis=1, dtype=np.int32)  # sums[y, x] = number of points in columns < x of row y

    rows, columns = points[0] - top, points[1] - left
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    rows, columns = rows[inside], columns[inside]
    found = 0
    for shift in sorted(range(-radius, radius + 1), key=abs):
        half = math.isqrt(radius * radius - shift * shift)
        row = rows + shift
        on_raster = (row >= 0) & (row < height)
        row = np.where(on_raster, row, 0)
        last = np.minimum(columns + half + 1, width)
        near = on_raster & (sums[row, last] > sums[row, np.maximum(columns - half, 0)])
        found += int(np.count_nonzero(near))
        rows, columns = rows[~near], columns[~near]
    return found
