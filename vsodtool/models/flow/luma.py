"""Grey levels of images, as flow by patches reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor

_RED, _GREEN, _BLUE = 255 * 0.299, 255 * 0.587, 255 * 0.114  # ITU-R BT.601, as OpenCV's


def luma(images: Tensor, *, whole: bool = False) -> list[npt.NDArray[np.generic]]:
    """RGB in [0, 1] (B, 3, H, W) -> luma (H, W) of each in [0, 255].

    Args:
        images: on any device.
        whole: rounded to uint8, else float32.
    """
    greys = []
    for red, green, blue in images.detach().float().cpu().numpy():
        warm = cv2.addWeighted(red, _RED, green, _GREEN, 0)
        # The last sum rounds and saturates. Not torch: its threads wait for each other on a busy machine.
        grey = cv2.addWeighted(warm, 1, blue, _BLUE, 0, dtype=cv2.CV_8U if whole else cv2.CV_32F)
        greys.append(cast("npt.NDArray[np.generic]", grey))
    return greys
