"""Palette files that hold no ids, but the shades of one object's soft edges (Photoshop's PNG-8, pngquant)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vsodtool.media.masks.borders import BORDER_SHARE, see_themselves

_FEWEST = 4  # a void line of one shade beside an object and nothing makes three
_SHORTEST = 48.0  # from the background's colour to the object's, of 255 a channel
_ASIDE = 0.06  # of that, how far a shade may be from the line between them
_DARK = 12
_SAME = 0.05  # of the way between them: a shade as near as that is one of them


def shades_of_one(
    indices: npt.NDArray[np.uint8], colours: npt.NDArray[np.uint8], used: npt.NDArray[np.intp]
) -> npt.NDArray[np.uint8] | None:
    """The colours of the pixels if the indices are shades from a background to one object, else None.

    They are if four colours or more lie on the line from that of the picture's edge to the one farthest from
    it, and most pixels of those between on borders. A background that is nearly black becomes black; greys on
    one that is not (black on white) are left alone.

    Args:
        indices: (H, W).
        colours: R, G and B of each index, uint8 (256, 3).
        used: the indices that occur, sorted.

    Returns:
        RGB, uint8 (H, W, 3), or None.
    """
    if len({*map(bytes, colours[used])}) < _FEWEST:
        return None
    edge = np.concatenate([indices[0], indices[-1], indices[:, 0], indices[:, -1]])
    ground = int(np.bincount(edge).argmax())
    dark = int(colours[ground].max()) <= _DARK
    if not dark and (colours[used] == colours[used, :1]).all():
        return None
    away = colours.astype(np.float64) - colours[ground]
    far = used[np.linalg.norm(away[used], axis=1).argmax()]
    length = float(np.linalg.norm(away[far]))
    if length < _SHORTEST:
        return None
    share = away @ away[far] / length**2
    aside = np.linalg.norm(away - share[:, None] * away[far], axis=1)
    between = (share > _SAME) & (share < 1 - _SAME)
    on_line = (aside[used] <= _ASIDE * length) & (share[used] >= -_SAME)
    if not on_line.all() or not between[used].any():
        return None
    strength = np.where(between, np.round(share * 255), np.where(share > _SAME, 255, 0)).astype(np.uint8)
    if not _lies_on_borders(strength[indices]):
        return None
    table = colours.copy()
    if dark:
        table[ground] = 0
    return np.asarray(table[indices], np.uint8)


def _lies_on_borders(strength: npt.NDArray[np.uint8]) -> bool:
    """Whether most pixels other than 0 and 255 see values besides their own and 0 around them."""
    between = (strength > 0) & (strength < 255)
    alone = np.count_nonzero(between & see_themselves(strength))
    return bool(alone < BORDER_SHARE * np.count_nonzero(between))
