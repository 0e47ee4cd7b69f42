"""How sharp a frame is: blurred ones are hard to draw on."""

from __future__ import annotations

import numpy as np

from vsodtool.types import ImageArray


def sharpness(rgb: ImageArray) -> float:
    """The variance of the Laplacian of the grey values, which blur lowers; at least 0.

    Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000. Comparable between frames
    of one scene only.

    Args:
        rgb: uint8 (H, W, 3).
    """
    grey = rgb.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    if min(grey.shape) < 3:
        return 0.0
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((around - 4 * grey[1:-1, 1:-1]).var())
