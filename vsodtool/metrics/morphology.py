"""Growing and shrinking masks by their four neighbours."""

from __future__ import annotations

from vsodtool.metrics.arguments import BoolArray


def dilate(mask: BoolArray) -> BoolArray:
    """Add the pixels above, below, left and right of the mask.

    Args:
        mask: bool (H, W).
    """
    grown = mask.copy()
    grown[1:] |= mask[:-1]
    grown[:-1] |= mask[1:]
    grown[:, 1:] |= mask[:, :-1]
    grown[:, :-1] |= mask[:, 1:]
    return grown


def erode(mask: BoolArray) -> BoolArray:
    """Keep the pixels whose neighbours above, below, left and right are in the mask or outside the image.

    Args:
        mask: bool (H, W).
    """
    return ~dilate(~mask)
