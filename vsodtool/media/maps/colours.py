"""Whether maps in colour are masks, shaded, or grey in all but name: told from a few of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from vsodtool.media.masks.reading import OPAQUE, RawMask, read_raw_mask
from vsodtool.media.masks.statistics import ColourStatistics

Drawing: TypeAlias = Literal["flat", "shaded", "grey"]
FLAT: Drawing = "flat"
SHADED: Drawing = "shaded"
GREY: Drawing = "grey"

DARK = 16  # of 255: too dark to have a colour, and what a JPEG makes of black
_COLOURED = 0.01  # of what is drawn
_FLAT = 0.5  # of what is drawn: borders of small things take the rest
_FLAT_LOSSY = 0.75
_SHADE = 0.1  # of what is drawn has a shade of a lossy file that is one of its colours
_BORDER = 0.02  # of what is drawn; fewer pixels beside the flat ones tell nothing
_NEAR = 32.0  # of 255: from a mixture of two colours, as rounding and sharp scaling leave it
_MOST_SOLID = 24  # of more colours all are mixtures
_MOST_BESIDE = 4096
_CHANNELS = np.array([32, 16, 0])


def tell_drawing(files: Sequence[Path]) -> Drawing:
    """How maps whose channels differ are drawn.

    Args:
        files: a few of one video, in colour.

    Returns:
        "flat" for masks: areas of a few colours, with borders that are mixtures of two of them. "shaded" for
        all else in colour: false colours, shades of one, things cut out as they look. "grey" where the
        channels hardly differ, as of grey that was stored with a loss.

    Raises:
        DataError: a file cannot be read.
    """
    found, beside = ColourStatistics(), np.zeros(0, np.int64)
    coloured = bright = 0
    full, lossy = 255, False
    for file in files:
        raw = read_raw_mask(file)
        full, lossy = raw.full, lossy or raw.lossy
        colours = raw.colours(by_alpha=raw.transparent)
        own = ColourStatistics.of(colours, lossy=raw.lossy)
        found.add(own)
        beside = np.concatenate([beside, colours[(colours != 0) & ~np.isin(colours, [*own.alone])]])
        has, seen = _count_coloured(raw, colours != 0)
        coloured, bright = coloured + has, bright + seen
    if coloured <= _COLOURED * bright:
        return GREY
    if lossy:
        return FLAT if _is_flat_lossy(found) else SHADED
    return FLAT if _is_flat(found) and _are_mixtures(beside, found, full) else SHADED


def _count_coloured(raw: RawMask, drawn: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """How many pixels have a colour, of those that are bright enough to have one."""
    seen = drawn & (raw.values > raw.full * DARK // 255)
    if raw.rgb is None:
        return 0, int(np.count_nonzero(seen))
    strongest = raw.rgb.max(axis=2).astype(np.int64)
    apart = strongest - raw.rgb.min(axis=2)
    return int(np.count_nonzero(seen & (4 * apart > strongest))), int(np.count_nonzero(seen))


def _is_flat(found: ColourStatistics) -> bool:
    """Whether most of what is drawn sees its own colour only; a ground in colour is not drawn."""
    drawn, flat = found.drawn, sum(found.alone.values())
    if drawn == found.size and found.counts:
        ground = max(found.counts, key=found.counts.__getitem__)
        drawn, flat = drawn - found.counts[ground], flat - found.alone.get(ground, 0)
    return flat >= _FLAT * drawn


def _is_flat_lossy(found: ColourStatistics) -> bool:
    """The same of files with a loss, where no colour is the same twice; on black only."""
    drawn = found.drawn - found.coarse.get(0, 0)
    flat = sum(count for shade, count in found.coarse.items() if shade and count >= _SHADE * drawn)
    return drawn < found.size and flat >= _FLAT_LOSSY * drawn


def _are_mixtures(beside: npt.NDArray[np.int64], found: ColourStatistics, full: int) -> bool:
    """Whether what lies beside the flat areas is mixed of two of their colours, or of one and black."""
    solid = [colour for colour, alone in found.alone.items() if 2 * alone >= found.counts[colour]]
    if len(beside) < _BORDER * found.drawn or len(solid) > _MOST_SOLID:
        return True
    packed, counts = np.unique(beside, return_counts=True)
    most = np.argsort(-counts, kind="stable")[:_MOST_BESIDE]
    points, counts = _channels(packed[most], full), counts[most]
    nearest = np.full(len(points), np.inf)
    for one, other in combinations(_channels(np.array([0, *solid]), full), 2):
        line = other - one
        along = np.clip((points - one) @ line / max(float(line @ line), 1.0), 0, 1)
        nearest = np.minimum(nearest, np.linalg.norm(points - one - along[:, None] * line, axis=1))
    return bool(2 * counts[nearest <= _NEAR].sum() >= counts.sum())


def _channels(packed: npt.NDArray[np.int64], full: int) -> npt.NDArray[np.float64]:
    """Colours as `RawMask.colours` numbers them -> R, G and B from 0 to 255, (N, 3)."""
    channels = (packed & (OPAQUE - 1))[:, None] >> _CHANNELS & 0xFFFF
    scaled: npt.NDArray[np.float64] = channels * (255 / full)
    return scaled
