"""Pictures deeper than 8 bit -> 8 bit: stretched by the range that the video itself uses.

Not by what its format could hold: a thermal camera or a scanner uses 12 or 14 of 16 bits, and often a small
part of them; dropping the low byte makes that black. One range serves all frames of a video, so that what
looks alike in two frames stays alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vsodtool.types import ImageArray

_LEFT_OUT = 1e-4  # share of a frame's values that may lie beyond the range at each end: dead and hot pixels


@dataclass(frozen=True)
class Levels:
    """The values that become 0 and 255.

    Attributes:
        low: this and what is below becomes 0.
        high: this and what is above becomes 255.
    """

    low: float
    high: float

    def stretch(self, pixels: npt.NDArray[Any]) -> ImageArray:
        """Pixels of any numeric type, in 8 bit; what is no number becomes 0, 8 bit stays as it is."""
        if not is_deep(pixels):
            return pixels.astype(np.uint8, copy=False)
        scale = 255 / (self.high - self.low) if self.high > self.low else 0.0
        if pixels.dtype == np.uint16:
            looked_up: ImageArray = self._scaled(np.arange(65536), scale)[pixels]
            return looked_up
        return self._scaled(np.nan_to_num(pixels, nan=self.low, posinf=self.high, neginf=self.low), scale)

    def _scaled(self, values: npt.NDArray[Any], scale: float) -> ImageArray:
        clipped = np.clip(values.astype(np.float64), self.low, self.high)
        scaled: ImageArray = np.rint((clipped - self.low) * scale).astype(np.uint8)
        return scaled

    def __str__(self) -> str:
        return f"{self.low:.6g} to {self.high:.6g}"


def is_deep(pixels: npt.NDArray[Any]) -> bool:
    """Whether pixels are deeper than 8 bit."""
    return pixels.dtype not in (np.uint8, np.bool_)


def find_levels(frames: Iterable[npt.NDArray[Any]]) -> Levels | None:
    """The range of the deep ones of some pictures, all channels together; None if none is deep.

    At each end, one in ten thousand values of a picture may lie beyond.
    """
    low, high = np.inf, -np.inf
    for pixels in frames:
        if not is_deep(pixels):
            continue
        values = pixels.reshape(-1)
        if values.dtype.kind == "f":
            values = values[np.isfinite(values)]
        if values.size == 0:
            continue
        beyond = int(values.size * _LEFT_OUT)
        ends = np.partition(values, (beyond, values.size - 1 - beyond))
        low, high = min(low, float(ends[beyond])), max(high, float(ends[-1 - beyond]))
    return Levels(low, high) if low <= high else None
