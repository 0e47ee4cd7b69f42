"""Whether maps in colour are masks, shaded, or grey in all but name: told from a few of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from vsodtool.media.masks.reading import OPAQUE, Colours, read_raw_mask
from vsodtool.media.masks.statistics import ColourStatistics

Drawing: TypeAlias = Literal["flat", "shaded", "grey"]
Points: TypeAlias = npt.NDArray[np.float64]  # (N, 3): R, G and B from 0 to 255

FLAT: Drawing = "flat"
SHADED: Drawing = "shaded"
GREY: Drawing = "grey"

DARK = 16  # of 255: too dark to have a colour, and what a JPEG makes of black
_COLOURED = 0.01  # of what is drawn
_FLAT = 0.5  # of what is drawn: borders of small things take the rest
_PALE = 8  # of 255, between the channels of a flat colour that is no grey
_PEAK = 0.03  # of what is drawn lies close to one of the colours of a file with a loss
_CLOSE = 24.0  # of 255
_MOST_PEAKS = 24
_MOST_SEEN = 50_000  # pixels of a file
_BORDER = 0.02  # of what is drawn; fewer pixels beside the flat ones tell nothing
_NEAR = 32.0  # of 255: from a mixture of two colours, as rounding and sharp scaling leave it
_MOST_SOLID = 24  # of more colours all are mixtures
_MOST_BESIDE = 4096
_CHANNELS = np.array([32, 16, 0])
_NONE: Points = np.zeros((0, 3))


def tell_drawing(files: Sequence[Path]) -> Drawing:
    """How maps whose channels differ are drawn.

    Args:
        files: a few of one video, in colour or partly transparent.

    Returns:
        "flat" for masks: areas of a few colours, with borders that are mixtures of two of them. "shaded" for
        all else in colour: false colours, shades of one, things cut out as they look. "grey" where the
        channels hardly differ, as of grey that was stored with a loss; not where some pixels are transparent.

    Raises:
        DataError: a file cannot be read.
    """
    found, seen, beside = ColourStatistics(), [_NONE], [_NONE]
    full, lossy, transparent, black, edges = 255, False, False, False, 0
    for file in files:  # one at a time: colours of large frames take hundreds of MiB
        raw = read_raw_mask(file)
        colours = raw.colours(by_alpha=raw.transparent)
        own = ColourStatistics.of(colours, lossy=raw.lossy)
        found.add(own)
        drawn = colours[colours != 0]
        border = drawn[~np.isin(drawn, [*own.alone])]
        full, lossy, edges = raw.full, lossy or raw.lossy, edges + len(border)
        transparent = transparent or raw.transparent
        black = black or raw.transparent or int(raw.values.min()) <= full * DARK // 255
        seen.append(_some(drawn, raw.full))
        beside.append(_some(border, raw.full))
    bright = np.concatenate(seen)
    bright = bright[bright.max(axis=1) > DARK]
    coloured = _share_coloured(bright)
    if lossy:
        if coloured <= _COLOURED and not transparent:
            return GREY
        return FLAT if black and _is_peaked(bright) else SHADED
    solid = np.array([c for c, alone in found.alone.items() if 2 * alone >= found.counts[c]], np.int64)
    flat = _channels(solid, full)
    if max(coloured, _share_tinted(flat, solid, found)) <= _COLOURED and not transparent:
        return GREY
    few = edges < _BORDER * found.drawn
    return FLAT if _is_flat(found) and (few or _are_mixtures(np.concatenate(beside), flat)) else SHADED


def _some(colours: Colours, full: int) -> Points:
    """Colours of a file, of many some."""
    return _channels(colours[:: len(colours) // _MOST_SEEN + 1], full)


def _share_coloured(seen: Points) -> float:
    """The share of colours that are clearly no grey."""
    strongest = seen.max(axis=1)
    return float(np.mean(4 * (strongest - seen.min(axis=1)) > strongest)) if len(seen) else 0.0


def _share_tinted(own: Points, solid: Colours, found: ColourStatistics) -> float:
    """The share of what is drawn that is flat in a colour which is no grey, however pale."""
    tinted = solid[own.max(axis=1) - own.min(axis=1) > _PALE]
    return sum(found.counts[int(colour)] for colour in tinted) / max(found.drawn, 1)


def _is_flat(found: ColourStatistics) -> bool:
    """Whether most of what is drawn sees its own colour only; a ground in colour is not drawn."""
    drawn, flat = found.drawn, sum(found.alone.values())
    if drawn == found.size and found.counts:
        ground = max(found.counts, key=found.counts.__getitem__)
        drawn, flat = drawn - found.counts[ground], flat - found.alone.get(ground, 0)
    return flat >= _FLAT * drawn


def _is_peaked(seen: Points) -> bool:
    """The same of files with a loss: most lies close to a few colours, and little a little farther off.

    Shades of one colour lie as densely a little farther off as close by.
    """
    left = seen
    total, close, peaks = len(left), 0, [_NONE]
    for _ in range(_MOST_PEAKS):
        if not len(left):
            break
        bins = (left.astype(np.int64) >> 4) @ (256, 16, 1)
        middle = np.median(left[bins == np.bincount(bins).argmax()], axis=0)
        away = np.linalg.norm(left - middle, axis=1)
        core, around = int(np.sum(away <= _CLOSE)), int(np.sum(away <= 2 * _CLOSE))
        if core < _PEAK * total:
            break
        if 4 * core >= 3 * around:
            peaks.append(middle[None])
            close += core
        left = left[away > 2 * _CLOSE]
    own = np.concatenate(peaks)
    return close >= _FLAT * total and (len(left) < _BORDER * total or _are_mixtures(left, own))


def _are_mixtures(beside: Points, solid: Points) -> bool:
    """Whether most of what lies beside flat areas is mixed of two of their colours, or of one and black."""
    if len(solid) > _MOST_SOLID:
        return True
    points, counts = np.unique(beside, axis=0, return_counts=True)
    most = np.argsort(-counts, kind="stable")[:_MOST_BESIDE]
    points, counts = points[most], counts[most]
    nearest = np.full(len(points), np.inf)
    for one, other in combinations(np.concatenate([np.zeros((1, 3)), solid]), 2):
        line = other - one
        along = np.clip((points - one) @ line / max(float(line @ line), 1.0), 0, 1)
        nearest = np.minimum(nearest, np.linalg.norm(points - one - along[:, None] * line, axis=1))
    return bool(2 * counts[nearest <= _NEAR].sum() >= counts.sum())


def _channels(packed: Colours, full: int) -> Points:
    """Colours as `RawMask.colours` numbers them -> R, G and B from 0 to 255, (N, 3)."""
    channels = (packed & (OPAQUE - 1))[:, None] >> _CHANNELS & 0xFFFF
    scaled: Points = channels * (255 / full)
    return scaled
