"""What may lie behind an object: holes filled from their surroundings."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.checks import check_map, check_same_size, check_tensor

_DETAIL = 9  # side of the window, in pixels, below which structure counts as detail
_FAINT = 0.1  # stronger structure is an edge of something, which does not belong into the hole


def fill_hole(image: Tensor, hole: Tensor) -> Tensor:
    """Replace the pixels of a hole by what surrounds it, coarse structure by push-pull, detail by a copy.

    Push-pull (Gortler et al., The Lumigraph, SIGGRAPH 1996): known pixels are averaged into ever coarser
    levels until every place has a value, which is then handed down to the unknown pixels. As that is smooth,
    the fine texture of a known area beside the hole is added.

    Args:
        image: (B, C, H, W) in [0, 1].
        hole: (B, 1, H, W), 1 where the image is unknown, 0 where it is kept.

    Returns:
        (B, C, H, W), unchanged outside the hole; zeros where nothing at all is known.

    Raises:
        ShapeError: the tensors have other shapes.
    """
    check_tensor(image, "image")
    check_map(hole, "hole")
    check_same_size(image, hole, "image and hole")
    known = 1 - hole
    smooth = push_pull(image * known, known)
    return image * known + (smooth + _borrow_detail(image, known, smooth)) * hole


def grow(mask: Tensor, radius: int) -> Tensor:
    """A mask (B, 1, H, W) made larger by `radius` pixels on every side (square structuring element)."""
    if not radius:
        return mask
    # One axis after the other: the same maximum for a fraction of the work.
    across = functional.max_pool2d(mask, (1, 2 * radius + 1), stride=1, padding=(0, radius))
    return functional.max_pool2d(across, (2 * radius + 1, 1), stride=1, padding=(radius, 0))


def push_pull(weighted: Tensor, known: Tensor) -> Tensor:
    """Values everywhere, from those of the known pixels near by: push-pull, see `fill_hole`.

    Args:
        weighted: values times `known` (B, C, H, W).
        known: (B, 1, H, W), 1 where a value is known, else 0.

    Returns:
        (B, C, H, W); zeros where nothing at all is known.
    """
    if known.shape[-1] <= 2 or known.shape[-2] <= 2:
        mean = weighted.mean((-2, -1), keepdim=True) / known.mean((-2, -1), keepdim=True).clamp_min(1e-6)
        return mean.expand_as(weighted)
    coarse = functional.avg_pool2d(weighted, 2, ceil_mode=True, count_include_pad=False)
    share = functional.avg_pool2d(known, 2, ceil_mode=True, count_include_pad=False)
    # A coarse pixel of which anything is known counts as known.
    certain = (share * 4).clamp_max(1)
    below = push_pull(coarse / share.clamp_min(1e-6) * certain, certain)
    handed = functional.interpolate(below, size=weighted.shape[-2:], mode="bilinear", align_corners=False)
    return weighted + handed * (1 - known)


def _borrow_detail(image: Tensor, known: Tensor, smooth: Tensor) -> Tensor:
    """Fine structure of the image, shifted from a known area onto the hole."""
    height, width = image.shape[-2:]
    mean = _local_mean(image * known) / _local_mean(known).clamp_min(1e-6)
    detail = ((image - mean) * known).clamp(-_FAINT, _FAINT)
    result = torch.zeros_like(smooth)
    for one in range(len(image)):
        rows, columns = (known[one, 0] < 0.5).nonzero(as_tuple=True)
        if not len(rows):
            continue
        down = int(rows.max() - rows.min()) + 1
        right = int(columns.max() - columns.min()) + 1
        shifts = [(0, right), (0, -right), (down, 0), (-down, 0), (height // 2, width // 2)]
        hole = 1 - known[one]
        covered = [float((known[one].roll(shift, (-2, -1)) * hole).sum()) for shift in shifts]
        best = shifts[covered.index(max(covered))]
        borrowed = detail[one].roll(best, (-2, -1)) * hole
        # As strong as around the hole: a blurred background has none.
        rim = grow(hole[None], _DETAIL)[0] * known[one]
        strength = _rms(detail[one], rim) / _rms(borrowed, hole).clamp_min(1e-6)
        result[one] = borrowed * strength.clamp_max(1)
    return result


def _local_mean(values: Tensor) -> Tensor:
    half = _DETAIL // 2
    across = functional.avg_pool2d(values, (1, _DETAIL), 1, (0, half), count_include_pad=False)
    return functional.avg_pool2d(across, (_DETAIL, 1), 1, (half, 0), count_include_pad=False)


def _rms(values: Tensor, where: Tensor) -> Tensor:
    return ((values.square() * where).sum() / (where.sum() * len(values)).clamp_min(1)).sqrt()
