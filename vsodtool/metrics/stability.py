"""Temporal stability of masks: does the prediction change only where the truth does?

DAVIS 2016 measured stability by matching the contours of consecutive frames and dropped it in 2017, because
occlusions dominate it. This measure asks pixel by pixel instead, and needs nothing but the masks.
"""

from __future__ import annotations

import numpy as np

from vsodtool.metrics.arguments import BoolArray, require_mask_pair


def temporal_stability(
    pred_before: BoolArray, pred_after: BoolArray, truth_before: BoolArray, truth_after: BoolArray
) -> float | None:
    """One minus the share of the predicted object that flickers from one frame to the next.

    A pixel flickers where the prediction changes and the truth does not. Motion costs nothing, an error that
    stays where it is costs nothing either (J and F count it); an error that comes or goes costs its area.

    Args:
        pred_before: bool (H, W), the predicted mask of a frame.
        pred_after: bool (H, W), that of the next frame.
        truth_before: bool (H, W), the true mask of the frame.
        truth_after: bool (H, W), that of the next frame.

    Returns:
        1 - flickering pixels / pixels predicted in either frame, in [0, 1]; None where nothing is predicted
        in both. The stability of a video is the mean over its pairs of frames.

    Raises:
        DataError: not four bool masks of one size.
    """
    for mask in (pred_after, truth_before, truth_after):
        require_mask_pair(mask, pred_before)
    predicted = np.count_nonzero(pred_before | pred_after)
    if predicted == 0:
        return None
    flicker = (pred_before ^ pred_after) & ~(truth_before ^ truth_after)
    return 1 - int(np.count_nonzero(flicker)) / int(predicted)
