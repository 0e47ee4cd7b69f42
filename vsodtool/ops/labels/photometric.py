"""Does the labelled frame, brought here by a flow, look like this frame?"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.native.differences import largest_differences
from vsodtool.native.library import library
from vsodtool.native.maps import readable

BLUR = 1.0  # pixels


def photometric_error(image: Tensor, warped: Tensor, *, blur: float = BLUR) -> Tensor:
    """The largest difference of the colour channels, smoothed.

    Two ways that give the same numbers: torch's, and on CPUs compiled loops, which do all of it row by row.

    Args:
        image: (1 or B, 3, H, W) in [0, 1].
        warped: (B, 3, H, W) in [0, 1], another frame seen from this one.
        blur: sigma of the Gaussian in pixels.

    Returns:
        (B, 1, H, W) in [0, 1].
    """
    loops = library()
    if loops is not None and blur > 0 and readable(image, warped):
        return largest_differences(loops, image, warped, _weights(blur, image))
    return gaussian_blur((image - warped).abs().amax(dim=1, keepdim=True), blur)


def gaussian_blur(values: Tensor, sigma: float) -> Tensor:
    """Gaussian smoothing of (B, C, H, W), border repeated, cut off at two sigma; no-op for sigma 0."""
    if sigma <= 0:
        return values
    weights = _weights(sigma, values)
    return _along(_along(values, weights, -1), weights, -2)


def _weights(sigma: float, like: Tensor) -> Tensor:
    """Of the pixels on a line, which sum to 1; as another tensor is, sigma above 0."""
    radius = math.ceil(2 * sigma)
    taps = torch.arange(-radius, radius + 1, dtype=like.dtype, device=like.device)
    weights = torch.exp(-taps.square() / (2 * sigma * sigma))
    return weights / weights.sum()


def _along(values: Tensor, weights: Tensor, axis: int) -> Tensor:
    """Correlate one axis with weights: on CPUs shifted sums are faster than a depth-wise convolution."""
    radius = len(weights) // 2
    padding = (radius, radius, 0, 0) if axis == -1 else (0, 0, radius, radius)
    padded = functional.pad(values, padding, mode="replicate")
    length = values.shape[axis]
    result = padded.narrow(axis, radius, length) * weights[radius]
    for offset in range(radius):
        pair = padded.narrow(axis, offset, length) + padded.narrow(axis, 2 * radius - offset, length)
        result.add_(pair * weights[offset])
    return result
