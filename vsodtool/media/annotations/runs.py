"""Run-length codes of masks: runs of equal pixels, zeros first.

One order of pixels is COCO's (down the columns, the whole image), the other CVAT's (along the rows, within a
box). A run of zeros comes first, of length 0 where the first pixel is set.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

MaskArray: TypeAlias = npt.NDArray[np.bool_]  # (H, W)
Order: TypeAlias = Literal["rows", "columns"]


def encode_runs(mask: MaskArray, order: Order) -> list[int]:
    """The runs of a mask, bool (H, W), zeros first; `[]` for a mask of no pixels."""
    if not mask.size:
        return []
    pixels = (mask if order == "rows" else transposed(mask)).ravel()
    changes = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    bounds = np.concatenate(([0], changes, [pixels.size]))
    runs: list[int] = np.diff(bounds).tolist()
    return [0, *runs] if pixels[0] else runs


def decode_runs(runs: Sequence[int], size: tuple[int, int], order: Order) -> MaskArray:
    """The mask, bool (H, W), of runs that begin with zeros.

    Raises:
        ValueError: a run is negative, or they do not add up to H x W pixels.
    """
    height, width = size
    # In Python's integers: damaged runs, and their sum, may not fit into 64 bits.
    if min(runs, default=0) < 0:
        raise ValueError(f"expected runs of at least 0 pixels, found {min(runs)}")
    covered = sum(runs)
    if covered != height * width:
        raise ValueError(f"expected runs of {height * width} pixels ({width}x{height}), found {covered}")
    lengths = np.asarray(runs, dtype=np.int64)
    values = np.arange(lengths.size) % 2 == 1
    pixels = np.repeat(values, lengths)
    return pixels.reshape(height, width) if order == "rows" else transposed(pixels.reshape(width, height))


def transposed(mask: MaskArray) -> MaskArray:
    """Rows for columns, in memory too: ten times faster than numpy's way to walk down the columns."""
    if not mask.size:
        return mask.T
    return cv2.transpose(np.ascontiguousarray(mask).view(np.uint8)).view(np.bool_)


def decode_counts(text: str) -> list[int]:
    """The runs of COCO's compressed string.

    Groups of five bits, the least significant first, bit 5 = "more follows", each stored as the character
    48 + group; from the fourth run on a number is the difference to the run two before it (pycocotools
    `rleFrString`, which trusts its input where this does not).

    Raises:
        ValueError: a character is outside the code, or the text ends within a number.
    """
    runs: list[int] = []
    value = shift = 0
    for place, character in enumerate(text):
        group = ord(character) - 48
        if not 0 <= group < 64:
            raise ValueError(f"expected characters '0' to 'o', found {character!r} at {place}")
        value |= (group & 0x1F) << shift
        shift += 5
        if group & 0x20:
            if shift > 60:
                raise ValueError(f"expected runs below 2^60, found a longer number at {place}")
            continue
        if group & 0x10:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    if shift:
        raise ValueError("expected a whole number of runs, found an end within one")
    return runs
