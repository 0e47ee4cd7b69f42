"""Masks of ids that an editor saved in the colours of their palette instead of its indices."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from vsodtool.media.masks.plane_png import Palette
from vsodtool.media.masks.reading import RawMask


def as_indices(raw: RawMask, palette: Palette, occurring: Collection[int]) -> RawMask | None:
    """The same mask with indices of a palette.

    Args:
        raw: a mask in colour.
        palette: of the other masks of its video.
        occurring: indices that these use; of several with one colour they are meant.

    Returns:
        None if a colour is not in the palette, or is that of two that occur, or a pixel is not opaque.
    """
    if raw.rgb is None or raw.full != 255 or raw.lossy or raw.transparent:
        return None
    colours, where = np.unique(raw.colours(by_alpha=False), return_inverse=True)
    owners = _owners(palette, occurring)
    indices = [owners.get(int(colour)) for colour in colours]
    known = [index for index in indices if index is not None]
    if len(known) < len(indices):
        return None
    return RawMask("palette", np.array(known, np.uint8)[where].reshape(raw.size), palette=palette)


def _owners(palette: Palette, occurring: Collection[int]) -> dict[int, int | None]:
    """Colour as `RawMask.colours` numbers it -> its index; None where two that occur have it."""
    found: dict[int, int | None] = {}
    used: set[int] = set()
    entries = range(len(palette.colours) // 3)
    for index in sorted(entries, key=lambda each: each not in occurring):
        red, green, blue = palette.colour(index)
        colour = red << 32 | green << 16 | blue
        if index in occurring and colour in used:
            found[colour] = None
        found.setdefault(colour, index)
        used |= {colour} if index in occurring else set()
    return found
