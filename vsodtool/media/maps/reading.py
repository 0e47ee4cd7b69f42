"""What predictions and truths mean, decided per video from a few of its files; reading them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt

from vsodtool.config.void import AUTO
from vsodtool.errors import DataError
from vsodtool.media.images import read_grey
from vsodtool.media.masks.encoding import MaskEncoding, detect_encoding
from vsodtool.media.masks.meaning import LARGEST_ID, VOID
from vsodtool.media.masks.reading import Plane, RawMask, read_raw_mask
from vsodtool.media.masks.statistics import MaskSummary, summarise, total
from vsodtool.types import LabelArray, Size

BoolArray: TypeAlias = npt.NDArray[np.bool_]

_SAMPLES = 5
_ALONE = 0.5  # of the pixels of ids so many have no other id beside them


@dataclass(frozen=True)
class TruthReading:
    """How the truths of one video are read; safe from several threads and processes.

    Attributes:
        encoding: how they are stored, cut where the protocol cuts.
        ids: the object ids seen in the files looked at; there may be more.
    """

    encoding: MaskEncoding
    ids: tuple[int, ...]

    @property
    def has_ids(self) -> bool:
        """Whether the values are object ids."""
        return self.encoding.holds_ids

    def read(self, path: Path) -> tuple[LabelArray, BoolArray | None]:
        """Object ids (1 for binary truth), (H, W), and where the truth is void (None: nowhere).

        Raises:
            DataError: the file cannot be read, or is stored differently from the others of its video.
        """
        return _read(path, read_raw_mask(path), self.encoding, self.ids)


@dataclass(frozen=True)
class PredictionReading:
    """How the predictions of one video are read; safe from several threads and processes.

    Attributes:
        kind: "soft" (grey, as stored), "unit" (grey 0 and 1), "ids" (object ids) or "drawn" (one object, in
            whatever colour).
        encoding: how "ids" and "drawn" are stored; None where they are grey values.
        ids: the object ids seen in the files looked at.
        void: the grey value that is no object, of "ids".
        masks: of "soft": the files looked at hold nothing but 0 and one other value.
    """

    kind: Literal["soft", "unit", "ids", "drawn"]
    encoding: MaskEncoding | None = None
    ids: tuple[int, ...] = ()
    void: int | None = None
    masks: bool = False

    def has_ids_of(self, truth: TruthReading) -> bool:
        """Whether it holds object ids that mean what those of the truth do: the numbers, or the colours."""
        colours = self.encoding is not None and self.encoding.kind == "colours"
        return self.kind == "ids" and colours == (truth.encoding.kind == "colours")

    def read_map(self, path: Path) -> Plane:
        """The prediction as a grey map, uint8 or uint16 (H, W), 0 to the largest value of the depth.

        Raises:
            DataError: the file cannot be read.
        """
        raw = read_raw_mask(path)
        if self.kind == "soft":
            if raw.container == "colour":
                return read_grey(path)
            if raw.container != "palette" or _is_grey_ramp(raw):
                # A mask of 0 and 1 among masks of 0 and 255 is not almost black.
                ones = self.masks and int(raw.values.max()) == 1
                return raw.values * np.uint8(255) if ones else raw.values
        return (self._labels(path, raw) > 0) * np.uint8(255)

    def read_ids(self, path: Path) -> LabelArray:
        """Object ids, uint16 (H, W), of a prediction whose kind is "ids".

        Raises:
            DataError: the file cannot be read, or is stored differently from the others of its video.
        """
        return self._labels(path, read_raw_mask(path)).astype(np.uint16, copy=False)

    def _labels(self, path: Path, raw: RawMask) -> Plane:
        if self.encoding is not None:
            return _read(path, raw, self.encoding, self.ids)[0]
        if self.void is None:
            return raw.values
        return np.where(raw.values == self.void, raw.values.dtype.type(0), raw.values)


def _read(
    path: Path, raw: RawMask, encoding: MaskEncoding, ids: tuple[int, ...]
) -> tuple[LabelArray, BoolArray | None]:
    """Object ids and void of a file of a video. Masks of one object may be stored in several ways."""
    if encoding.of(raw) is not None:
        return encoding.read(raw)
    summary = summarise(path, raw)
    if not summary.empty:
        own, found = detect_encoding([summary])
        if len(ids) != 1 or len(found) != 1:
            expected = encoding.meaning.container
            raise DataError(
                f"{path}: expected {expected} pixels as in the masks beside it, found {raw.container}",
                "save all masks of a video in one encoding",
            )
        return np.where(own.labels(raw) > 0, np.uint16(ids[0]), np.uint16(0)), None
    return encoding.read(raw)


def detect_truth(
    files: Sequence[Path], above: int, *, objects: str = "auto", void: str = AUTO
) -> TruthReading:
    """How the truths of one video are to be read.

    Args:
        files: all of them; only a few are opened.
        above: grey values above this, in 8-bit steps, are object.
        objects: "multi" reads grey that reaches white and has levels of its own as ids; else it is binary.
        void: the id that is no object: a number, "none", or "auto", which is what the encoding says.

    Raises:
        DataError: a file cannot be read, or they are stored in ways that do not go together.
    """
    encoding, ids = detect_encoding(_samples(files, every_colour=True), void)
    full = 65535 if encoding.meaning.container == "grey16" else 255
    named = encoding.meaning.void is not None  # by --void; a 255 that is void by itself is none of the ids
    if encoding.kind.startswith("ids") and full in ids and objects != "multi" and not named:
        meaning = replace(encoding.meaning, ids=(1,), threshold=full // 2 + 1, on=full, void=None)
        encoding, ids = MaskEncoding(f"binary{full}", meaning), (1,)
    return TruthReading(_cut(encoding, above), ids)


def detect_prediction(
    files: Sequence[Path], truth: TruthReading, prefers: str, *, void: str = AUTO, soft: bool = False
) -> PredictionReading:
    """How the predictions of one video are to be read.

    Args:
        files: all of them; only a few are opened.
        truth: how their truth is read.
        prefers: "masks" where masks are expected: what is drawn in colour is object then.
        void: as for the truth.
        soft: they are known to be probabilities.

    Raises:
        DataError: a file cannot be read, or they are stored in ways that do not go together.
    """
    if soft:
        return PredictionReading("soft")
    in_colours = truth.encoding.kind == "colours"
    samples = _samples(files, neighbours=False)
    drawn = [summary for summary in samples if not summary.empty]
    ids = any(summary.container == "palette" and not _is_grey_ramp(summary) for summary in drawn)
    colour = any(summary.container == "colour" for summary in drawn)
    if ids or (colour and (in_colours or prefers == "masks")):
        encoding, found = detect_encoding(_samples(files, every_colour=True), void)
        if in_colours and encoding.kind == "colours":
            encoding = _numbered_alike(encoding, truth.encoding)
        return PredictionReading("ids" if encoding.holds_ids else "drawn", encoding, found)
    grey = all(summary.container.startswith("grey") for summary in drawn)
    no_object = truth.encoding.meaning.void
    largest = max(
        (value for each in drawn for value in each.absolute.values if value != no_object), default=0
    )
    if grey and truth.has_ids and 0 < largest <= max((*truth.ids, LARGEST_ID)):
        # A map in which little is found is as dark as ids are; but its values shade off into each other.
        known = {0, no_object, *truth.ids}
        strange = [each for each in drawn if not known.issuperset(each.absolute.values)]
        beside = total(_summary(each.path, neighbours=True).absolute for each in strange)
        if not beside.between or beside.alone_share >= _ALONE:
            return PredictionReading("ids", void=no_object)
    masks = grey and all(len(each.absolute.values) == 1 for each in drawn)
    return PredictionReading("unit" if grey and largest == 1 else "soft", masks=masks)


def fit_map(values: Plane, size: Size) -> Plane:
    """A grey map in another size (H, W), bilinear, in its own depth."""
    resized = cv2.resize(values, (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
    return cast(Plane, resized)


def fit_ids(labels: LabelArray, size: Size) -> LabelArray:
    """Object ids in another size (H, W), nearest neighbour."""
    resized: LabelArray = cv2.resize(labels, (size[1], size[0]), interpolation=cv2.INTER_NEAREST).astype(
        np.uint16, copy=False
    )
    return resized


def _cut(encoding: MaskEncoding, above: int) -> MaskEncoding:
    """With masks that are cut at a half cut above another brightness, in 8-bit steps."""
    meaning = encoding.meaning
    if meaning.container != "colour" and meaning.threshold == meaning.on // 2 + 1:
        meaning = replace(meaning, threshold=above * (meaning.on // 255) + 1)
    others = tuple(_cut(way, above) for way in encoding.others)
    return replace(encoding, meaning=meaning, others=others)


def _numbered_alike(encoding: MaskEncoding, truth: MaskEncoding) -> MaskEncoding:
    """With the ids that the colours have in the truth; other colours come behind."""
    known = truth.meaning.colours
    colours = (*known, *(colour for colour in encoding.meaning.colours if colour not in known))
    return replace(encoding, meaning=replace(encoding.meaning, colours=colours, void=truth.meaning.void))


def _samples(
    files: Sequence[Path], *, every_colour: bool = False, neighbours: bool = True
) -> list[MaskSummary]:
    """What a few files hold, spread evenly, the first and the last among them.

    More are read while nothing is drawn in them but void, and all if they may hold a colour for each object.
    """
    step = max((len(files) - 1) // (_SAMPLES - 1), 1)
    spread = sorted({*range(0, len(files), step), len(files) - 1})[: _SAMPLES + 1]
    chosen = [_summary(files[index], neighbours) for index in spread]
    rest = (_summary(file, neighbours) for file in files)
    if every_colour and any(each.container == "colour" or each.transparent for each in chosen):
        return list(rest)
    if not any(map(_tells, chosen)):
        telling = next((summary for summary in rest if _tells(summary)), None)
        return chosen if telling is None else [*chosen, telling]
    return chosen


def _summary(file: Path, neighbours: bool) -> MaskSummary:
    return summarise(file, read_raw_mask(file), neighbours=neighbours)


def _tells(summary: MaskSummary) -> bool:
    """Whether something is drawn, and not in void only."""
    only_void = summary.container == "palette" and summary.absolute.values == [VOID]
    return not summary.empty and not (only_void and not _is_grey_ramp(summary))


def _is_grey_ramp(mask: RawMask | MaskSummary) -> bool:
    palette = mask.palette
    values = mask.absolute.counts if isinstance(mask, MaskSummary) else np.unique(mask.values)
    return palette is not None and all(
        palette.colour(int(value)) == bytes([int(value)] * 3) for value in values
    )
