"""Statistics over the masks of a video, from which `detection` tells what their pixel values mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from vsodtool.errors import DataError
from vsodtool.media.masks.borders import BLOCK, see_themselves
from vsodtool.media.masks.plane_png import Palette
from vsodtool.media.masks.reading import OPAQUE, Colours, Container, Plane, RawMask

_BORDER = np.ones((7, 7), np.uint8)  # what holds none of these is a border: VOC's void is five pixels wide
_REACH = np.ones((11, 11), np.uint8)  # five pixels to each side
VOID_COLOUR = 224 << 32 | 224 << 16 | 192  # of VOC, as `RawMask.colours` numbers it
_COARSE = 5  # bits of a channel that a lossy colour is not told by: all but its three highest
_DIMMEST = 64  # of 255: what is darker is noise around the object
_EVEN = 48  # a colour varies less than that within 3x3 pixels where it is no edge


@dataclass
class PlaneStatistics:
    """What values occur in one plane of a set of masks, and how they lie.

    Attributes:
        counts: value -> number of pixels.
        between: number of pixels that are neither 0 nor at the top.
        alone: those of them that see no other value than their own and 0 in their 3x3 neighbourhood.
        flat: those of them whose 3x3 neighbourhood has one value only.
        thick_top: number of pixels in the middle of a 7x7 block at the top.
        accompanied_top: number of pixels at the top in masks that have pixels in between, too.
        lining_top: those of them that are within the width of a border of a pixel in between.
        tops: the maxima of the masks that are not empty.
    """

    counts: dict[int, int] = field(default_factory=dict)
    between: int = 0
    alone: int = 0
    flat: int = 0
    thick_top: int = 0
    accompanied_top: int = 0
    lining_top: int = 0
    tops: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, plane: Plane, top: int, *, neighbours: bool = True) -> PlaneStatistics:
        """Statistics of one mask.

        Args:
            plane: its values, uint8 or uint16 (H, W).
            top: the value that stands for "certainly object".
            neighbours: without them only values are counted, at a fraction of the cost.
        """
        depth = 256 if plane.dtype == np.uint8 else 65536
        histogram = cv2.calcHist([plane], [0], None, [depth], [0, depth]).ravel()
        values = np.flatnonzero(histogram)
        maximum = int(values[-1])
        found = cls({int(value): int(histogram[value]) for value in values}, tops={maximum} - {0})
        if not neighbours:
            return found
        at_top = (plane == top).view(np.uint8)
        if top in found.counts:  # in every mask: a thick one tells of the lines in all others
            found.thick_top = int(np.count_nonzero(cv2.erode(at_top, _BORDER)))
        if any(0 < value < top for value in found.counts):
            between = (plane > 0) & (plane < top)
            alone = between & see_themselves(plane)
            found.between = int(np.count_nonzero(between))
            found.alone = int(np.count_nonzero(alone))
            found.flat = int(np.count_nonzero(alone & (cv2.erode(plane, BLOCK) == plane)))
            if top in found.counts:
                found.accompanied_top = found.counts[top]
                beside = cv2.dilate(between.view(np.uint8), _REACH)
                found.lining_top = int(np.count_nonzero(beside & at_top))
        return found

    def add(self, other: PlaneStatistics) -> None:
        """Take in the statistics of another mask."""
        for value, count in other.counts.items():
            self.counts[value] = self.counts.get(value, 0) + count
        self.between += other.between
        self.alone += other.alone
        self.flat += other.flat
        self.thick_top += other.thick_top
        self.accompanied_top += other.accompanied_top
        self.lining_top += other.lining_top
        self.tops |= other.tops

    @property
    def values(self) -> list[int]:
        """The values other than 0, sorted."""
        return sorted(value for value in self.counts if value)

    @property
    def weakest_top(self) -> int:
        """The smallest maximum of a mask that is not empty, 0 if all are."""
        return min(self.tops, default=0)

    @property
    def alone_share(self) -> float:
        """Share of the pixels in between that see their own value and 0 only; 0 if there are none."""
        return self.alone / self.between if self.between else 0.0


@dataclass
class ColourStatistics:
    """What is drawn in a set of masks, in colours as `RawMask.colours` numbers them.

    Attributes:
        size: number of pixels.
        drawn: of those that are not nothing.
        counts: colour -> number of pixels, of the colours that have a pixel alone, and of VOID_COLOUR.
        alone: colour -> those that see nothing but their own colour and nothing in their 3x3 neighbourhood.
        coarse: shade -> number of pixels, of lossy files, since their colours differ from pixel to pixel: of
            those that are not dark and on no edge. A shade has R, G and B in eight steps, 8 bits each.
    """

    size: int = 0
    drawn: int = 0
    counts: dict[int, int] = field(default_factory=dict)
    alone: dict[int, int] = field(default_factory=dict)
    coarse: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, colours: Colours, *, lossy: bool) -> ColourStatistics:
        """Statistics of one mask."""
        drawn = colours[colours != 0]
        if lossy:
            channels = np.stack([colours >> shift & 0xFF for shift in (32, 16, 0)], axis=-1).astype(np.uint8)
            spread = cv2.dilate(channels, BLOCK) - cv2.erode(channels, BLOCK)
            even = (spread.max(axis=2) <= _EVEN) & (channels.max(axis=2) >= _DIMMEST)
            red, green, blue = (channels[even] >> _COARSE).astype(np.int64).T
            return cls(colours.size, drawn.size, coarse=_counts(red << 16 | green << 8 | blue))
        height, width = colours.shape
        padded = np.pad(colours, 1, mode="edge")
        alone = colours != 0
        for top in range(3):
            for left in range(3):
                beside = padded[top : top + height, left : left + width]
                alone &= (beside == colours) | (beside == 0)
        found = _counts(colours[alone])
        places = [*found, VOID_COLOUR, VOID_COLOUR + OPAQUE]
        return cls(colours.size, drawn.size, _counts(drawn[np.isin(drawn, places)]), found)

    def add(self, other: ColourStatistics) -> None:
        """Take in the statistics of another mask."""
        self.size += other.size
        self.drawn += other.drawn
        for mine, more in (
            (self.counts, other.counts),
            (self.alone, other.alone),
            (self.coarse, other.coarse),
        ):
            for colour, count in more.items():
                mine[colour] = mine.get(colour, 0) + count


def _counts(values: Colours) -> dict[int, int]:
    found, counts = np.unique(values, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


@dataclass(frozen=True)
class MaskSummary:
    """What one mask file contributes.

    Attributes:
        path: the file.
        container: as in RawMask.
        lossy: as in RawMask.
        empty: no pixel is set, whatever the values mean.
        absolute: statistics of the values, the top being the largest value that the depth allows.
        relative: the same, the top being the largest value in this very mask.
        alpha: statistics of the opacity, relative; None if there is none.
        palette: colours of a palette file.
        drawn: statistics of the colours, of files in colour and of those with transparency.
        transparent: as in RawMask.
        cut_out: as in RawMask.
        full: as in RawMask.
    """

    path: Path
    container: Container
    lossy: bool
    empty: bool
    absolute: PlaneStatistics
    relative: PlaneStatistics
    alpha: PlaneStatistics | None
    palette: Palette | None
    drawn: ColourStatistics | None
    transparent: bool
    cut_out: bool
    full: int


def summarise(path: Path, raw: RawMask, *, neighbours: bool = True) -> MaskSummary:
    """Statistics of one mask file; without neighbours it does not tell an encoding."""
    highest = int(raw.values.max())
    absolute = PlaneStatistics.of(raw.values, raw.full, neighbours=neighbours)
    same = highest == raw.full or not neighbours
    relative = absolute if same else PlaneStatistics.of(raw.values, highest)
    alpha = None if raw.alpha is None else PlaneStatistics.of(raw.alpha, int(raw.alpha.max()))
    drawn = None
    if neighbours and (raw.transparent or raw.container == "colour"):
        drawn = ColourStatistics.of(raw.colours(by_alpha=raw.transparent), lossy=raw.lossy)
    empty = not alpha.values if alpha is not None and raw.transparent else highest == 0
    return MaskSummary(
        path=path,
        container=raw.container,
        lossy=raw.lossy,
        empty=empty,
        absolute=absolute,
        relative=relative,
        alpha=alpha,
        palette=raw.palette,
        drawn=drawn,
        transparent=raw.transparent,
        cut_out=raw.cut_out,
        full=raw.full,
    )


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
        for value in summary.absolute.values:
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
