"""What predictions and truths mean, decided per video from a few of its files; reading them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt

from vsodtool.config.void import AUTO
from vsodtool.errors import DataError
from vsodtool.media.images import read_grey
from vsodtool.media.maps.colours import DARK, FLAT, SHADED, Drawing, tell_drawing
from vsodtool.media.masks.encoding import MaskEncoding, detect_encoding
from vsodtool.media.masks.meaning import LARGEST_ID, VOID
from vsodtool.media.masks.photographs import refuse_photographs
from vsodtool.media.masks.reading import Plane, RawMask, read_raw_mask
from vsodtool.media.masks.statistics import MaskSummary, summarise, total
from vsodtool.types import LabelArray, Size

BoolArray: TypeAlias = npt.NDArray[np.bool_]

SOFT, IDS = "soft", "ids"  # what `values` may say besides auto
_SAMPLES = 5
_MOST_LEVELS = 32  # a map of more values is no map of ids
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
        doubt: why it may be something else, a line for people.
    """

    kind: Literal["soft", "unit", "ids", "drawn"]
    encoding: MaskEncoding | None = None
    ids: tuple[int, ...] = ()
    void: int | None = None
    masks: bool = False
    doubt: str = ""

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
    if encoding.of(raw) is not None or (encoding.by_index and encoding.fits(raw)):
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
    samples = _samples(files, every_colour=True)
    refuse_photographs(samples)
    encoding, ids = detect_encoding(samples, void)
    full = 65535 if encoding.meaning.container == "grey16" else 255
    named = encoding.meaning.void is not None  # by --void; a 255 that is void by itself is none of the ids
    if encoding.kind.startswith("ids") and full in ids and objects != "multi" and not named:
        meaning = replace(encoding.meaning, ids=(1,), threshold=full // 2 + 1, on=full, void=None)
        encoding, ids = MaskEncoding(f"binary{full}", meaning), (1,)
    return TruthReading(_cut(encoding, above), ids)


def detect_prediction(
    files: Sequence[Path], truth: TruthReading, prefers: str, *, void: str = AUTO, values: str = AUTO
) -> PredictionReading:
    """How the predictions of one video are to be read.

    Args:
        files: all of them; only a few are opened.
        truth: how their truth is read.
        prefers: "masks" where masks are expected: what is drawn in colour is object then, as it is elsewhere
            if it is drawn flat (see `tell_drawing`).
        void: as for the truth.
        values: what the values are, where that is known: "soft" for probabilities (colours by their
            brightness), "ids" (colours are objects), or "auto".

    Raises:
        DataError: a file cannot be read, they are stored in ways that do not go together, or grey values may
            be ids and probabilities alike.
    """
    if values == SOFT:
        return PredictionReading("soft")
    in_colours = truth.encoding.kind == "colours"
    samples = _samples(files, neighbours=False)
    drawn = [summary for summary in samples if not summary.empty]
    ids = any(summary.container == "palette" and not _is_grey_ramp(summary) for summary in drawn)
    colour = any(map(_is_drawn_on, drawn))
    if drawn and all(summary.container == "colour" for summary in drawn):
        refuse_photographs(drawn)  # a map in grey may have any values
    doubt = ""
    if colour and not ids and values != IDS:
        # Grey beside colours is one of them, or an object in another encoding, if it is flat, too.
        flat = all(_is_drawn_on(summary) or len(summary.absolute.values) == 1 for summary in drawn)
        drawing = tell_drawing([each.path for each in drawn if _is_drawn_on(each)])
        ids = prefers == "masks" or (flat and drawing == FLAT)
        doubt = _doubt_of_colours(drawn, drawing, as_masks=ids)
    if ids or (colour and values == IDS):
        encoding, found = detect_encoding(_samples(files, every_colour=True), void)
        if in_colours and encoding.kind == "colours":
            encoding = _numbered_alike(encoding, truth.encoding)
        return PredictionReading("ids" if encoding.holds_ids else "drawn", encoding, found, doubt=doubt)
    no_object = truth.encoding.meaning.void
    grey = bool(drawn) and all(summary.container.startswith("grey") for summary in drawn)
    if grey and values == IDS:
        return PredictionReading("ids", void=no_object)
    seen = _values(drawn, no_object)
    if grey and truth.has_ids and seen and seen <= set(truth.ids):
        return PredictionReading("ids", void=no_object)
    if grey and _may_be_ids(drawn, seen, truth):
        # The files looked at may be dark ones: what all hold decides.
        seen = _values((_summary(file, neighbours=False) for file in files), no_object)
        few, dark = len(seen) <= _MOST_LEVELS, max(seen) <= drawn[0].full // 2
        if few and truth.has_ids:
            if _are_counted(seen, truth.ids):
                return PredictionReading("ids", void=no_object)
            if len(seen) > 1 or dark:
                raise _undecided(files[0].parent, seen)
        elif few and dark and seen != {1}:
            doubt = (
                f"{files[0].parent}: read as probabilities that reach a half nowhere: {_listing(seen)} of "
                f"{drawn[0].full}; if these are object ids, say --values ids"
            )
    masks = grey and all(len(each.absolute.values) == 1 for each in drawn)
    unit = grey and max(seen, default=0) == 1
    return PredictionReading("unit" if unit else "soft", masks=masks, doubt=doubt)


def _is_drawn_on(summary: MaskSummary) -> bool:
    """Whether something is drawn in colour, or on nothing, where the opacity says where it is."""
    return summary.container == "colour" or (summary.transparent and summary.container != "palette")


def _doubt_of_colours(drawn: Sequence[MaskSummary], drawing: Drawing, *, as_masks: bool) -> str:
    """A line on maps in many shades of colour; "" for masks, and things cut out where masks are wanted."""
    folder = drawn[0].path.parent
    if drawing != SHADED:
        return ""
    if not as_masks:
        return (
            f"{folder}: in many shades of colour, read by their brightness, which is not what false colours "
            "mean; save probabilities as grey, or say --values ids if all that is drawn is object"
        )
    if any(each.transparent or min(each.absolute.counts) <= each.full * DARK // 255 for each in drawn):
        return ""
    return f"{folder}: in many shades of colour and nowhere black, read as masks; save masks on black"


def _values(summaries: Iterable[MaskSummary], no_object: int | None) -> set[int]:
    """The grey values that occur, but 0 and that of void."""
    return {value for each in summaries for value in each.absolute.values} - {0, no_object}


def _may_be_ids(drawn: Sequence[MaskSummary], found: set[int], truth: TruthReading) -> bool:
    """Whether these are few values that fill areas of their own: probabilities shade off into each other."""
    full = drawn[0].full if drawn else 0
    if not found - {full} or len(found) > _MOST_LEVELS or not (truth.has_ids or max(found) <= full // 2):
        return False
    strange = [each for each in drawn if not set(truth.ids).issuperset(each.absolute.values)]
    beside = total(_summary(each.path, neighbours=True).absolute for each in strange)
    return not beside.between or beside.alone_share >= _ALONE


def _are_counted(found: set[int], known: Collection[int]) -> bool:
    """Whether these are numbers as ids have: with those of the truth they count from 1 without a gap."""
    return bool(found) and max(found) <= LARGEST_ID and {*range(1, max(found) + 1)} <= found | {*known}


def _undecided(folder: Path, found: set[int]) -> DataError:
    return DataError(
        f"{folder}: expected object ids as in the truth, or probabilities, found grey areas of the values "
        f"{_listing(found)} only, which can be either",
        "say which: --values ids, or --values soft",
    )


def _listing(found: set[int]) -> str:
    shown = ", ".join(map(str, sorted(found)[:5]))
    return f"{shown}, ..." if len(found) > 5 else shown


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
