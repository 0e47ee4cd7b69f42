"""Statistics over the masks of a video, from which `mask_encoding` tells what their pixel values mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from vsodtool.errors import DataError
from vsodtool.media.masks.plane_png import Palette
from vsodtool.media.masks.reading import Container, Plane, RawMask

_BLOCK = np.ones((3, 3), np.uint8)


@dataclass
class PlaneStatistics:
    """What values occur in one plane of a set of masks, and how they lie.

    Attributes:
        counts: value -> number of pixels.
        between: number of pixels that are neither 0 nor at the top.
        alone: those of them that see no other value than their own and 0 in their 3x3 neighbourhood.
        flat: those of them whose 3x3 neighbourhood has one value only.
        weakest_top: the smallest maximum of a mask that is not empty, 0 if all are.
    """

    counts: dict[int, int] = field(default_factory=dict)
    between: int = 0
    alone: int = 0
    flat: int = 0
    weakest_top: int = 0

    @classmethod
    def of(cls, plane: Plane, top: int) -> PlaneStatistics:
        """Statistics of one mask; `top` is the value that stands for "certainly object"."""
        depth = 256 if plane.dtype == np.uint8 else 65536
        histogram = cv2.calcHist([plane], [0], None, [depth], [0, depth]).ravel()
        values = np.flatnonzero(histogram)
        maximum = int(values[-1])
        found = cls({int(value): int(histogram[value]) for value in values}, weakest_top=maximum)
        if any(0 < value < top for value in found.counts):
            highest = cv2.dilate(plane, _BLOCK)
            everywhere = cv2.erode(plane, _BLOCK)
            # Zeros turned into the maximum, so that the smallest value other than 0 shows.
            lowest = cv2.erode(np.where(plane == 0, plane.dtype.type(depth - 1), plane), _BLOCK)
            between = (plane > 0) & (plane < top)
            found.between = int(np.count_nonzero(between))
            found.alone = int(np.count_nonzero(between & (highest == plane) & (lowest == plane)))
            found.flat = int(np.count_nonzero(between & (highest == plane) & (everywhere == plane)))
        return found

    def add(self, other: PlaneStatistics) -> None:
        """Take in the statistics of another mask."""
        for value, count in other.counts.items():
            self.counts[value] = self.counts.get(value, 0) + count
        self.between += other.between
        self.alone += other.alone
        self.flat += other.flat
        tops = [top for top in (self.weakest_top, other.weakest_top) if top]
        self.weakest_top = min(tops, default=0)

    @property
    def values(self) -> list[int]:
        """The values other than 0, sorted."""
        return sorted(value for value in self.counts if value)

    @property
    def alone_share(self) -> float:
        """Share of the pixels in between that see their own value and 0 only; 0 if there are none."""
        return self.alone / self.between if self.between else 0.0


@dataclass(frozen=True)
class MaskSummary:
    """What one mask file contributes.

    Attributes:
        path: the file.
        container: as in RawMask.
        lossy: as in RawMask.
        empty: no pixel is set, whatever the values mean.
        colour: statistics of the values, the top being the largest value that the depth allows.
        relative: the same, the top being the largest value in this very mask.
        alpha: statistics of the opacity, relative; None if there is none.
        palette: colours of a palette file.
    """

    path: Path
    container: Container
    lossy: bool
    empty: bool
    colour: PlaneStatistics
    relative: PlaneStatistics
    alpha: PlaneStatistics | None
    palette: Palette | None


def summarise(path: Path, raw: RawMask) -> MaskSummary:
    """Statistics of one mask file."""
    full = 255 if raw.values.dtype == np.uint8 else 65535
    highest = int(raw.values.max())
    absolute = PlaneStatistics.of(raw.values, full)
    relative = absolute if highest == full else PlaneStatistics.of(raw.values, highest)
    alpha = None if raw.alpha is None else PlaneStatistics.of(raw.alpha, int(raw.alpha.max()))
    empty = highest == 0 or (alpha is not None and not alpha.values)
    return MaskSummary(path, raw.container, raw.lossy, empty, absolute, relative, alpha, raw.palette)


def total(parts: Iterable[PlaneStatistics]) -> PlaneStatistics:
    """The sum of statistics."""
    result = PlaneStatistics()
    for part in parts:
        result.add(part)
    return result


def merge_palettes(summaries: Iterable[MaskSummary]) -> Palette:
    """One palette for all masks of a video; colours of ids that do not occur may differ between files.

    Raises:
        DataError: an id that occurs in two masks has different colours in them, so it is no id.
    """
    longest = Palette(b"")
    owners: dict[int, MaskSummary] = {}
    alphas = b""
    for summary in summaries:
        if summary.palette is None:
            continue
        if len(summary.palette.colours) > len(longest.colours):
            longest = summary.palette
        alphas = max(alphas, summary.palette.alphas, key=len)
        for value in summary.colour.values:
            other = owners.setdefault(value, summary)
            if other.palette is not None and other.palette.colour(value) != summary.palette.colour(value):
                raise DataError(
                    f"{summary.path}: expected for id {value} the colour {_hex(other.palette, value)} "
                    f"that it has in {other.path.name}, found {_hex(summary.palette, value)}",
                    "save all masks of a video with one palette",
                )
    colours = bytearray(longest.colours)
    for value, owner in owners.items():
        if owner.palette is not None and 3 * value + 3 <= len(colours):
            colours[3 * value : 3 * value + 3] = owner.palette.colour(value)
    return Palette(bytes(colours), alphas)


def _hex(palette: Palette, index: int) -> str:
    return f"#{palette.colour(index).hex()}"
