"""Lines of one or two pixels: strings, cables, rods, which break when a label is warped."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.ops.boxes import bounding_box
from vsodtool.ops.labels.connected import parts

WIDTH = 3  # pixels; what holds no square of this side is thin


def thin(mask: Tensor) -> Tensor:
    """The pixels of a mask, bool (H, W), that lie in no square of WIDTH pixels inside it."""
    return mask & ~dilated(eroded(functional.pad(mask, (WIDTH - 1,) * 4)))


def eroded(mask: Tensor) -> Tensor:
    """Whether all of WIDTH x WIDTH pixels are the mask's, bool (..., H, W), for each such square inside it.

    Combining bits is thirty times as fast on CPUs as pooling.

    Returns:
        bool (..., H - WIDTH + 1, W - WIDTH + 1).
    """
    height, width = mask.shape[-2] - WIDTH + 1, mask.shape[-1] - WIDTH + 1
    along = mask[..., :width] & mask[..., 1 : width + 1] & mask[..., 2:]
    return along[..., :height, :] & along[..., 1 : height + 1, :] & along[..., 2:, :]


def dilated(mask: Tensor) -> Tensor:
    """Whether any of them is, as `eroded`."""
    height, width = mask.shape[-2] - WIDTH + 1, mask.shape[-1] - WIDTH + 1
    along = mask[..., :width] | mask[..., 1 : width + 1] | mask[..., 2:]
    return along[..., :height, :] | along[..., 1 : height + 1, :] | along[..., 2:, :]


def thin_share(mask: Tensor) -> float:
    """How much of a mask, bool (H, W), is thin, in [0, 1]."""
    box = bounding_box(mask, 0.5)
    return float(thin(box.crop(mask)).sum() / mask.sum()) if box is not None else 0.0


def bridges(owned: Tensor, possible: Tensor, most: int) -> Tensor | None:
    """Thin pieces that join parts of a broken line.

    Args:
        owned: pixels of the object, bool (H, W).
        possible: others that may be its, bool (H, W).
        most: thin pixels that the object may have then; the smallest bridges come first.

    Returns:
        bool (H, W), apart from `owned` and in `possible`; None where nothing is to be joined.
    """
    box = bounding_box(owned | possible, 0.5)
    if box is None:
        return None
    inside, around = box.crop(owned), box.crop(possible)
    left = most - int(thin(inside).sum())
    if left <= 0:
        return None
    pieces, count = parts(thin(inside | around) & ~inside)
    known, others = parts(inside)
    if not count or others < 2:
        return None
    joined = _meetings(pieces, known, count, others) > 1
    areas = torch.bincount(pieces.flatten(), minlength=count + 1)
    areas[~joined] = 0
    ranked = areas.argsort(stable=True)
    taken = torch.zeros_like(joined)
    taken[ranked] = (areas[ranked].cumsum(0) <= left) & joined[ranked]
    if not bool(taken.any()):
        return None
    found = torch.zeros_like(owned)
    box.crop(found).copy_(taken[pieces])
    return found


def _meetings(pieces: Tensor, known: Tensor, count: int, others: int) -> Tensor:
    """With how many numbered parts each piece has neighbours in common (count + 1,), 0 for piece 0."""
    wide = functional.pad(known, (1, 1, 1, 1))
    rows, columns = pieces.nonzero(as_tuple=True)
    beside = torch.stack([wide[rows + row, columns + column] for row in range(3) for column in range(3)])
    pairs = (pieces[rows, columns] * (others + 1) + beside)[beside > 0]
    met = torch.unique(pairs) // (others + 1)
    return torch.bincount(met, minlength=count + 1)
