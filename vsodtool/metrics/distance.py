"""Euclidean distance to the nearest object pixel: OpenCV's exact transform, in whole numbers."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from vsodtool.metrics.arguments import BoolArray

Uint16Array: TypeAlias = npt.NDArray[np.uint16]

LIMIT = 180  # LIMIT² fits into 16 bits, and is a small number of values to tabulate


def squared_distance(mask: BoolArray) -> Uint16Array:
    """Squared Euclidean distance to the nearest object pixel, exact up to LIMIT pixels.

    Felzenszwalb and Huttenlocher, "Distance Transforms of Sampled Functions", 2012, as OpenCV has it with
    DIST_MASK_PRECISE. It answers with square roots in float32, whose squares are within .01 of the whole
    numbers that they come from.

    Args:
        mask: bool (H, W), True = object; at least one pixel.

    Returns:
        uint16 (H, W); LIMIT² where the nearest object pixel is LIMIT pixels away or more.
    """
    beside = np.logical_not(mask).view(np.uint8)
    distance = cv2.distanceTransform(beside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    np.minimum(distance, LIMIT, out=distance)
    np.square(distance, out=distance)
    return np.rint(distance, out=distance).astype(np.uint16)
