"""The skeleton of a mask: thinned to lines of one pixel.

Zhang and Suen, "A Fast Parallel Algorithm for Thinning Digital Patterns", CACM 1984, with the deviations of
`skimage.morphology.skeletonize`, the reference.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from vsodtool.metrics.arguments import BoolArray

# clockwise from the left top, the bits of a neighbourhood's code; offsets into a mask padded by one pixel
NEIGHBOURS = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
BITS = 1 << np.arange(8)

# Neighbourhoods that the reference decides otherwise than the paper: ends and corners of lines two pixels
# wide, which the paper wears away, and steps of diagonal lines, which it leaves thick.
NEVER_REMOVED = (48, 129)
REMOVED_FIRST = (3, 6, 11, 12, 14, 131, 134, 161, 194, 198)
REMOVED_SECOND = (24, 26, 56, 96, 104, 108, 176, 192, 224)
REMOVED_IN_BOTH = (10, 40, 130, 160)


def skeleton(mask: BoolArray) -> BoolArray:
    """Thin a mask until nothing changes.

    Args:
        mask: bool (H, W).

    Returns:
        bool (H, W), a part of the mask; equal to `skimage.morphology.skeletonize`.
    """
    padded = np.pad(mask, 1)
    flat, width = padded.reshape(-1), padded.shape[1]
    around = np.array([(dy - 1) * width + dx - 1 for dy, dx in NEIGHBOURS])
    inside = flat.nonzero()[0]
    border = inside[~flat[inside[:, None] + around].all(axis=1)]
    # A pixel needs another look by a step only where its neighbourhood has changed since the last look.
    latest = before = border
    while latest.size or before.size:
        for removable in _removable():
            candidates = np.union1d(latest, before)
            candidates = candidates[flat[candidates]]
            gone = candidates[removable.take(flat[candidates[:, None] + around] @ BITS)]
            flat[gone] = False
            latest, before = (gone[:, None] + around).reshape(-1), latest
    return padded[1:-1, 1:-1].copy()


@cache
def _removable() -> tuple[BoolArray, BoolArray]:
    """Two bool (256,): whether a pixel goes in the first and in the second step, by its neighbourhood."""
    tables = np.zeros((2, 256), np.bool_)
    for code in range(256):
        around = [code >> bit & 1 for bit in range(8)]
        _, p2, _, p4, _, p6, _, p8 = around  # the names of the paper
        rises = sum(a < b for a, b in zip(around, around[1:] + around[:1], strict=True))
        if 2 <= sum(around) <= 6 and rises == 1:
            tables[0, code] = not (p2 and p4 and p6) and not (p4 and p6 and p8)
            tables[1, code] = not (p2 and p4 and p8) and not (p2 and p6 and p8)
    changes = ((NEVER_REMOVED, 0, 0), (REMOVED_FIRST, 1, 0), (REMOVED_SECOND, 0, 1), (REMOVED_IN_BOTH, 1, 1))
    for codes, first, second in changes:
        tables[0, list(codes)], tables[1, list(codes)] = first, second
    return tables[0], tables[1]
