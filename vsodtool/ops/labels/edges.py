"""Borders of soft labels pulled towards the edges of the image."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.native.guided_filter import guided_filter
from vsodtool.native.library import library
from vsodtool.native.maps import readable
from vsodtool.ops.labels.thin import dilated, eroded

RADIUS = 2  # pixels; larger windows eat thin limbs: radius 4 lost 0.6 points of J on davis-train
SMOOTHNESS = 1e-3  # contrast (as variance) below which an edge does not count
SHARE = 0.7  # how much of the result is the filtered label
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def align_to_edges(labels: Tensor, image: Tensor) -> Tensor:
    """Guided filter (He, Sun and Tang, ECCV 2010, eq. 5, 6) of soft labels by the luma of the image, in part.

    Two ways that give the same numbers: torch's, and on CPUs compiled loops for the filter, which take a
    fifth of the time.

    Args:
        labels: (1, O, H, W) in [0, 1].
        image: (1, 3, H, W) in [0, 1].

    Returns:
        (1, O, H, W) in [0, 1]; 0.2 points of J at K = 10 and 0.3 at K = 20 on davis-train, nothing at K = 5.
        Objects thinner than 3 pixels are not made fainter: the window would erase them.
    """
    loops = library()
    if loops is not None and readable(labels, image):
        filtered = guided_filter(loops, labels, image, LUMA, SMOOTHNESS)
    else:
        filtered = _filtered(labels, image)
    aligned = torch.lerp(labels, filtered, SHARE).clamp_(0, 1)
    return torch.where(_thin(labels > 0.5), torch.maximum(aligned, labels), aligned)


def _filtered(labels: Tensor, image: Tensor) -> Tensor:
    """All of it, by torch."""
    guide = (image * image.new_tensor(LUMA).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
    mean_guide, mean_labels = box_mean(guide, RADIUS), box_mean(labels, RADIUS)
    covariance = box_mean(guide * labels, RADIUS) - mean_guide * mean_labels
    variance = box_mean(guide * guide, RADIUS) - mean_guide * mean_guide
    slope = covariance / (variance + SMOOTHNESS)
    offset = mean_labels - slope * mean_guide
    return box_mean(slope, RADIUS) * guide + box_mean(offset, RADIUS)


def _thin(inside: Tensor) -> Tensor:
    """Objects that are thin: most of them an opening by 3 x 3 pixels removes. bool (1, O, H, W).

    Not the thin parts of others, which are mostly ragged borders.
    """
    squares = eroded(functional.pad(inside, (1, 1, 1, 1), value=True))  # objects go on beyond the image
    opened = dilated(functional.pad(squares, (1, 1, 1, 1)))
    left, all_of_it = (values.sum(dim=(-2, -1), keepdim=True) for values in (opened, inside))
    return inside & (2 * left < all_of_it)


def box_mean(values: Tensor, radius: int) -> Tensor:
    """Mean over (2 radius + 1)^2 pixels of (B, C, H, W), border repeated.

    A few shifted sums are several times as fast as avg_pool2d on CPUs.
    """
    padded = functional.pad(values, (radius, radius, radius, radius), mode="replicate")
    taps = 2 * radius + 1
    height, width = values.shape[-2:]
    rows = padded[..., :height, :] + padded[..., 1 : height + 1, :]
    for offset in range(2, taps):
        rows += padded[..., offset : offset + height, :]
    mean = rows[..., :width] + rows[..., 1 : width + 1]
    for offset in range(2, taps):
        mean += rows[..., offset : offset + width]
    return mean.div_(taps * taps)
