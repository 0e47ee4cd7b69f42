"""What the pixel values of masks mean, and writing labels so that they mean the same.

The rules, applied to all masks in use of one video together (the ones that are empty fit everything):

- Palette PNG: the indices are object ids. Index 0 is the background; only where index 0 is not black and
  most pixels have an index that is black, that index is the background. A grey ramp is read as grey.
- Grey (also RGB(A) whose channels agree), with `full` = 255, or 65535 for 16 bit:
  - `full` only: a binary mask. Another single value, such as 1 or 38: the id of one object.
  - `full` and values between: anti-aliased binary if the pixels in between are border pixels, that is if
    most of them see values besides their own and 0 in their 3x3 neighbourhood, or none has a uniform one.
    Otherwise they form objects of their own: ids.
  - no `full`, several values ({0,1,2}, {0,38,75}): ids; but a soft binary mask if the values behave like
    borders and are many (over 32) or reach 90 % of `full`. Below half of `full` it is cut at half of
    its largest value.
  - JPEG cannot store ids: always binary.
- RGB(A) with the object drawn: what is not black, in whatever colour; if any mask has a pixel that is not
  opaque, what is opaque. Border pixels are cut at half of the strength that the colour or opacity reaches.

Binary masks are cut at 50 %: 128 and above is object.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vsodtool.errors import DataError
from vsodtool.media.masks.plane_png import Palette, encode_plane_png
from vsodtool.media.masks.reading import Container, Plane, RawMask
from vsodtool.media.masks.statistics import MaskSummary, PlaneStatistics, merge_palettes, total
from vsodtool.types import LabelArray

_BORDER_SHARE = 0.5
_MANY_VALUES = 32


@dataclass(frozen=True)
class MaskEncoding:
    """How the masks of one video are stored.

    Attributes:
        container: "grey8", "grey16", "palette", or "colour" (which is written as 8-bit grey).
        threshold: values from here on are object (id 1); 0 if the values are ids.
        on: the value written for an object where `threshold` is not 0.
        by_alpha: whether the opacity is the mask.
        palette: colours, for "palette".
        background: the palette index that stands for "nothing"; it changes places with id 0.
    """

    container: Container
    threshold: int = 0
    on: int = 255
    by_alpha: bool = False
    palette: Palette | None = None
    background: int = 0

    @property
    def kind(self) -> str:
        """A short name: binary255, binary65535, ids8, ids16, palette or colour."""
        if self.container in ("palette", "colour"):
            return self.container
        if self.threshold:
            return f"binary{self.on}"
        return "ids8" if self.container == "grey8" else "ids16"

    def labels(self, raw: RawMask) -> LabelArray:
        """Object ids of a mask, uint16 (H, W), 0 = nothing."""
        plane = self._plane(raw)
        if self.threshold:
            return (plane >= self.threshold).astype(np.uint16)
        return self._swap_background(plane).astype(np.uint16)

    def encode(self, labels: LabelArray) -> bytes:
        """A PNG that holds these labels in this encoding.

        Args:
            labels: object ids, (H, W); only ids that occur in the masks given.

        Raises:
            ValueError: an id is too large for the encoding.
        """
        if self.threshold:
            return self._write((labels > 0) * np.uint16(self.on))
        if self.container != "grey16" and labels.max(initial=0) > 255:
            raise ValueError(f"id {labels.max()} does not fit into {self.kind}")
        return self._write(self._swap_background(labels))

    def encode_given(self, raw: RawMask) -> bytes:
        """A PNG with exactly the pixel values of a mask given (for "colour": 0 and 255)."""
        if self.container == "colour":
            return self.encode(self.labels(raw))
        return self._write(self._plane(raw))

    def _plane(self, raw: RawMask) -> Plane:
        # An empty mask may be stored differently from the others; matching has made sure that only these are.
        if self.by_alpha:
            return raw.alpha if raw.alpha is not None else np.zeros_like(raw.values)
        if (raw.container == "palette") != (self.container == "palette"):
            return np.full_like(raw.values, self.background)
        return raw.values

    def _swap_background(self, plane: Plane) -> Plane:
        if not self.background:
            return plane
        swapped = plane.copy()
        swapped[plane == 0] = self.background
        swapped[plane == self.background] = 0
        return swapped

    def _write(self, plane: Plane) -> bytes:
        if self.container == "grey16":
            return encode_plane_png(plane.astype(np.uint16))
        return encode_plane_png(plane.astype(np.uint8), self.palette)


def detect_encoding(summaries: Sequence[MaskSummary]) -> tuple[MaskEncoding, tuple[int, ...]]:
    """The encoding of the masks of one video, and the object ids that occur (a binary mask has id 1).

    Raises:
        DataError: the masks are stored in ways that do not go together, or a JPEG holds ids.
    """
    drawn = [summary for summary in summaries if not summary.empty] or list(summaries[:1])
    if any(summary.container == "palette" for summary in drawn):
        _refuse_mixture(drawn, ("palette",))
        return _detect_palette(drawn)
    by_alpha = any(
        summary.alpha is not None and min(summary.alpha.counts) < _full(summary) for summary in summaries
    )
    if by_alpha or any(summary.container == "colour" for summary in drawn):
        return _detect_colour(drawn, by_alpha=by_alpha), (1,)
    _refuse_mixture(drawn, (drawn[0].container,))
    return _detect_grey(drawn)


def _detect_grey(drawn: Sequence[MaskSummary]) -> tuple[MaskEncoding, tuple[int, ...]]:
    full = _full(drawn[0])
    found = total(summary.colour for summary in drawn)
    lossy = next((summary for summary in drawn if summary.lossy), None)
    if lossy is not None and found.values and max(found.values) * 2 <= full:
        raise DataError(
            f"{lossy.path}: expected object pixels of {full // 2 + 1} to {full}, "
            f"found nothing above {max(found.values)} in a JPEG, which cannot store ids",
            "save the masks as PNG",
        )
    threshold = full // 2 + 1 if lossy is not None else _threshold(found, full)
    if threshold:
        return MaskEncoding(drawn[0].container, threshold, full), (1,)
    return MaskEncoding(drawn[0].container), tuple(found.values)


def _detect_palette(drawn: Sequence[MaskSummary]) -> tuple[MaskEncoding, tuple[int, ...]]:
    palette = merge_palettes(drawn)
    found = total(summary.colour for summary in drawn)
    if found.values and all(palette.colour(value) == bytes([value] * 3) for value in found.counts):
        threshold = _threshold(found, 255)
        if threshold:
            return MaskEncoding("palette", threshold, 255, palette=palette), (1,)
    background = 0
    if palette.colour(0) != b"\0\0\0":
        commonest = max(found.counts, key=lambda value: found.counts[value])
        if palette.colour(commonest) == b"\0\0\0" and 2 * found.counts[commonest] > sum(
            found.counts.values()
        ):
            background = commonest
    occurring = {background if value == 0 else value for value in found.counts if value != background}
    return MaskEncoding("palette", palette=palette, background=background), tuple(sorted(occurring))


def _detect_colour(drawn: Sequence[MaskSummary], *, by_alpha: bool) -> MaskEncoding:
    opaque = next((summary for summary in drawn if by_alpha and summary.alpha is None), None)
    if opaque is not None:
        raise DataError(
            f"{opaque.path}: expected a transparent background like in the other masks of the video, "
            f"found no transparency",
            "save all masks of a video in one encoding",
        )
    parts = [summary.alpha if by_alpha else summary.relative for summary in drawn]
    found = total(part for part in parts if part is not None)
    lossy = any(summary.lossy for summary in drawn)
    borders = found.alone_share < _BORDER_SHARE or found.flat == 0
    threshold = found.weakest_top // 2 + 1 if lossy or (found.between and borders) else 1
    return MaskEncoding("colour", threshold, 255, by_alpha)


def _threshold(found: PlaneStatistics, full: int) -> int:
    """Where to cut a binary mask; 0 if the values are ids. The rules stand at the top of this file."""
    values = found.values
    if not values or values == [full]:
        return full // 2 + 1
    if len(values) == 1:
        return 0
    borders = found.alone_share < _BORDER_SHARE
    if values[-1] == full:
        return full // 2 + 1 if borders or found.flat == 0 else 0
    if borders and (len(values) > _MANY_VALUES or values[-1] >= 0.9 * full):
        return (full if values[-1] > full // 2 else values[-1]) // 2 + 1
    return 0


def _full(summary: MaskSummary) -> int:
    return 65535 if summary.container == "grey16" else 255


def _refuse_mixture(drawn: Sequence[MaskSummary], allowed: tuple[Container, ...]) -> None:
    first = next(summary for summary in drawn if summary.container in allowed)
    for summary in drawn:
        if summary.container not in allowed:
            raise DataError(
                f"{summary.path}: expected a {first.container} mask like {first.path.name}, "
                f"found {summary.container}",
                "save all masks of a video in one encoding",
            )
