"""Pixels along borders: what tells a soft edge from values that stand for something."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

BORDER_SHARE = (
    0.5  # of pixels with values between nothing and an object: if fewer are alone, they are borders
)
BLOCK = np.ones((3, 3), np.uint8)


def see_themselves(plane: npt.NDArray[np.uint8 | np.uint16]) -> npt.NDArray[np.bool_]:
    """Which pixels see their own value and 0 only in their 3x3 neighbourhood.

    Args:
        plane: (H, W).

    Returns:
        (H, W); without meaning where the plane is 0.
    """
    highest = cv2.dilate(plane, BLOCK)
    # Zeros turned into the maximum, so that the smallest value other than 0 shows.
    lowest = cv2.erode(np.where(plane == 0, np.iinfo(plane.dtype).max, plane).astype(plane.dtype), BLOCK)
    return np.asarray((highest == plane) & (lowest == plane), np.bool_)
