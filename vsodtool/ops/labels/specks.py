"""Islands that belong to nothing: small parts of a label that no given mask has the like of."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vsodtool.ops.boxes import bounding_box
from vsodtool.ops.labels.connected import parts
from vsodtool.ops.labels.thin import thin

# Chosen on pairs and single videos of davis-train: benchmarks/RESULTS.md, "Several objects".
SMALL = 0.005  # share of an object below which a part of it needs a reason to be there
FEW = 4  # pixels below which it needs one in any case
SURE = 0.5  # mean confidence of its pixels that is one
BACKED = 0.2  # mean confidence below which nothing is a reason
LINE = 0.15  # the same for a piece of a line: what is thin is rarely clear
ALIKE = 0.5  # share of a given part's size from which on a part is like it


def small_parts(mask: Tensor) -> list[float]:
    """The sizes of the small parts of a given mask, bool (H, W), as shares of it, largest first.

    The largest part is never a small one.
    """
    box = bounding_box(mask, 0.5)
    if box is None:
        return []
    areas = _areas(*parts(box.crop(mask)))
    return (areas[_is_small(areas)].sort(descending=True).values / areas.sum()).tolist()


def specks(
    owned: Tensor, sure: Tensor, given: Sequence[Sequence[float]], least: int = 0, lines: float = 0.0
) -> Tensor | None:
    """The parts of an object in a frame that are none.

    A small part stays if its pixels are sure, for what both sides carried here agrees; or if they are not
    without any backing and a given mask has one like it, so many of these as that mask has, or it is a piece
    of a line, so much of these as that mask has. The largest part always stays.

    Args:
        owned: pixels of the object, bool (H, W).
        sure: confidence of pixels (H, W) in [0, 1].
        given: `small_parts` of the labels on both sides.
        least: instead of all that, parts of fewer pixels go, and no others; 0 decides by the above.
        lines: how much of a given mask is thin, see `ops.labels.thin`.

    Returns:
        bool (H, W), a part of `owned`; None where nothing is to go.
    """
    box = bounding_box(owned, 0.5)
    if box is None:
        return None
    numbers, count = parts(box.crop(owned))
    if count < 2:
        return None
    areas = _areas(numbers, count)
    if least:
        stray = areas < least
        stray[areas.argmax()] = False
    else:
        stray = _is_small(areas)
        sums = torch.zeros(count + 1, device=owned.device)
        sums.index_add_(0, numbers.flatten(), box.crop(sure).flatten().float())
        backing = sums[1:] / areas
        stray &= backing < SURE
        shares, ranked = (areas / areas.sum()).tolist(), areas.argsort(descending=True, stable=True).tolist()
        for rank, part in enumerate(part for part in ranked if stray[part]):
            if backing[part] >= BACKED and any(
                len(like) > rank and shares[part] >= ALIKE * like[rank] for like in given
            ):
                stray[part] = False
        _keep_lines(stray, box.crop(owned), numbers, backing, lines)
    if not bool(stray.any()):
        return None
    found = torch.zeros_like(owned)
    box.crop(found).copy_(torch.cat((stray.new_zeros(1), stray))[numbers])
    return found


def _keep_lines(stray: Tensor, owned: Tensor, numbers: Tensor, backing: Tensor, lines: float) -> None:
    """Of small parts that are thin as a whole, keep the surest, as far as given masks have so much of it."""
    count = len(stray)
    thinned = thin(owned)
    pixels = torch.bincount(numbers[thinned], minlength=count + 1)[1:]
    areas = _areas(numbers, count)
    pieces = stray & (pixels == areas) & (backing >= LINE)
    left = lines * areas.sum() - pixels[~stray].sum()
    if not bool(pieces.any()):
        return
    ranked = backing.argsort(descending=True, stable=True)
    ranked = ranked[pieces[ranked]]
    stray[ranked[areas[ranked].cumsum(0) <= left]] = False


def _areas(numbers: Tensor, count: int) -> Tensor:
    return torch.bincount(numbers.flatten(), minlength=count + 1)[1:]


def _is_small(areas: Tensor) -> Tensor:
    small = areas < (SMALL * areas.sum()).clamp_min(FEW)
    small[areas.argmax()] = False
    return small
