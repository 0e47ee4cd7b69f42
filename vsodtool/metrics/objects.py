"""J and F of every object of a frame, for masks with several objects.

Pont-Tuset et al., "The 2017 DAVIS Challenge on Video Object Segmentation", arXiv:1704.00675: each object is
scored as a mask of its own, under the number that it has in the truth.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vsodtool.errors import DataError
from vsodtool.metrics.arguments import BoolArray, require_same_size
from vsodtool.metrics.boundary import boundary_f
from vsodtool.metrics.region import region_j


class ObjectScores(NamedTuple):
    """Scores of one object in one frame.

    Attributes:
        j: region similarity.
        f: boundary accuracy.
    """

    j: float
    f: float


def object_scores(
    pred: npt.NDArray[Any],
    truth: npt.NDArray[Any],
    objects: Iterable[int],
    *,
    void: BoolArray | None = None,
    tolerance: float = 0.008,
) -> dict[int, ObjectScores]:
    """Score each object of a frame.

    Args:
        pred: integer (H, W), object numbers, 0 = none.
        truth: integer (H, W), likewise.
        objects: the numbers to score: all that the video has, whether or not this frame has them. An object
            that neither mask has scores 1, one that only one of them has 0.
        void: bool (H, W), pixels that do not count; None = all count.
        tolerance: of the boundary, as a fraction of the image diagonal.

    Returns:
        Scores by object number.

    Raises:
        DataError: sizes differ, a mask is not integer, or an object number is not positive.
    """
    require_same_size(pred, truth)
    for name, labels in (("pred", pred), ("truth", truth)):
        if not np.issubdtype(labels.dtype, np.integer):
            raise DataError(f"{name}: expected object numbers, found {labels.dtype}", "use a label image")
    scores = {}
    for number in objects:
        if number < 1:
            raise DataError(f"objects: expected numbers from 1, found {number}", "0 is the background")
        mine, true = pred == number, truth == number
        scores[number] = ObjectScores(region_j(mine, true, void), boundary_f(mine, true, tolerance, void))
    return scores
