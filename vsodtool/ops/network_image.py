"""Between frames of any size and the square that a network sees."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.types import ImageArray, Size


def to_network_image(rgb: ImageArray, size: int) -> Tensor:
    """A frame as the square that a network sees; a frame that fits is not touched.

    Bilinear with antialiasing and rounded to 8 bits, as image libraries do it, so that maps do not depend on
    whether the frames were made small beforehand.

    Args:
        rgb: uint8 (H, W, 3).
        size: side of the square in pixels.

    Returns:
        uint8 (3, size, size).
    """
    image = torch.from_numpy(rgb).permute(2, 0, 1)
    if image.shape[-2:] == (size, size):
        return image.contiguous()
    # Channels last in, as the frame lies in memory: the 8-bit kernel is fastest on it.
    small = functional.interpolate(image[None], size=(size, size), mode="bilinear", antialias=True)
    return small[0].contiguous()


def to_frame_size(probabilities: Tensor, size: Size) -> Tensor:
    """Probabilities of the square (B, 1, S, S) -> of the frame (B, 1, *size); bilinear, antialiased."""
    if (probabilities.shape[-2], probabilities.shape[-1]) == size:
        return probabilities
    enlarged = functional.interpolate(probabilities, size=size, mode="bilinear", antialias=True)
    return enlarged.clamp_(0, 1)  # the weights sum to 1 only up to rounding
