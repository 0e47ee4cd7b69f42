"""Does the labelled frame, brought here by a flow, look like this frame?"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

BLUR = 1.0  # pixels


def photometric_error(image: Tensor, warped: Tensor, *, blur: float = BLUR) -> Tensor:
    """The largest difference of the colour channels, smoothed.

    Args:
        image: (B, 3, H, W) in [0, 1].
        warped: (B, 3, H, W) in [0, 1], another frame seen from this one.
        blur: sigma of the Gaussian in pixels.

    Returns:
        (B, 1, H, W) in [0, 1].
    """
    return gaussian_blur((image - warped).abs().amax(dim=1, keepdim=True), blur)


def gaussian_blur(values: Tensor, sigma: float) -> Tensor:
    """Gaussian smoothing of (B, C, H, W), border repeated, cut off at two sigma; no-op for sigma 0."""
    if sigma <= 0:
        return values
    radius = math.ceil(2 * sigma)
    taps = torch.arange(-radius, radius + 1, dtype=values.dtype, device=values.device)
    weights = torch.exp(-taps.square() / (2 * sigma * sigma))
    weights = weights / weights.sum()
    return _along(_along(values, weights, -1), weights, -2)


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
