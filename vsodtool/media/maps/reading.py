"""What the pixels of predictions and truths mean, decided per video from a few of its files; reading them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt

from vsodtool.errors import DataError
from vsodtool.media.images import read_grey
from vsodtool.media.masks.encoding import MaskEncoding, detect_encoding
from vsodtool.media.masks.reading import Plane, RawMask, read_raw_mask
from vsodtool.media.masks.statistics import summarise
from vsodtool.types import LabelArray, Size

BoolArray: TypeAlias = npt.NDArray[np.bool_]

VOID = 255  # in a palette with object ids: pixels that nobody is judged by, as in DAVIS-2017
_SAMPLES = 5
_LARGEST_ID = 32  # a grey prediction beside a truth of ids holds ids, not probabilities, up to here


@dataclass(frozen=True)
class TruthReading:
    """How the truths of one video are read; safe from several threads and processes.

    Attributes:
        encoding: how they are stored.
        cut: grey values from here on are object; 0 where the values are ids.
        ids: the object ids seen in the files looked at; there may be more.
    """

    encoding: MaskEncoding
    cut: int
    ids: tuple[int, ...]

    @property
    def has_ids(self) -> bool:
        """Whether the values are object ids."""
        return self.cut == 0

    def read(self, path: Path) -> tuple[Plane, BoolArray | None]:
        """Object ids (1 for binary truth), (H, W), and where the truth is void (None: nowhere).

        Raises:
            DataError: the file cannot be read, or is stored differently from the others of its video.
        """
        raw = read_raw_mask(path)
        kind = self.encoding.container
        alike = raw.container == kind or (self.cut and {raw.container, kind} <= {"grey8", "colour"})
        if not alike and not self.encoding.by_alpha and raw.values.any():
            raise DataError(
                f"{path}: expected {kind} pixels as in the masks beside it, found {raw.container}",
                "save all masks of a video in one encoding",
            )
        if self.cut:
            # The raw plane, since `labels` cuts where a mask is cut, and a protocol may cut elsewhere.
            plane = raw.alpha if self.encoding.by_alpha and raw.alpha is not None else raw.values
            return (plane >= self.cut).view(np.uint8), None
        labels = self.encoding.labels(raw)
        void = labels == VOID if kind == "palette" else None
        if void is None or not void.any():
            return labels, None
        return np.where(void, np.uint16(0), labels), void


@dataclass(frozen=True)
class PredictionReading:
    """How the predictions of one video are read; safe from several threads and processes.

    Attributes:
        kind: "soft" (grey, as stored), "unit" (grey 0 and 1), "ids" (object ids) or "drawn" (whatever is not
            black is object).
        encoding: how ids are stored; None for the other kinds.
    """

    kind: Literal["soft", "unit", "ids", "drawn"]
    encoding: MaskEncoding | None = None

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
                return raw.values
        return (self._labels(raw) > 0) * np.uint8(255)

    def read_ids(self, path: Path) -> LabelArray:
        """Object ids, uint16 (H, W), of a prediction whose kind is "ids".

        Raises:
            DataError: the file cannot be read.
        """
        return self._labels(read_raw_mask(path)).astype(np.uint16, copy=False)

    def _labels(self, raw: RawMask) -> Plane:
        return raw.values if self.encoding is None else self.encoding.labels(raw)


def detect_truth(files: Sequence[Path], above: int, *, objects: str = "auto") -> TruthReading:
    """How the truths of one video are to be read.

    Args:
        files: all of them; only a few are opened.
        above: grey values above this, in 8-bit steps, are object.
        objects: "multi" reads grey that reaches white and has levels of its own as ids; else it is binary.

    Raises:
        DataError: a file cannot be read, or they are stored in ways that do not go together.
    """
    summaries = [summarise(file, raw) for file, raw in _samples(files)]
    encoding, ids = detect_encoding(summaries)
    cut, full = encoding.threshold, 65535 if encoding.container == "grey16" else 255
    white = encoding.container.startswith("grey") and full in ids and objects != "multi"
    if encoding.container != "colour" and (cut == full // 2 + 1 or white):
        cut = above * (full // 255) + 1
    return TruthReading(
        encoding, cut, tuple(number for number in ids if number != VOID) if cut == 0 else (1,)
    )


def detect_prediction(files: Sequence[Path], truth: TruthReading, prefers: str) -> PredictionReading:
    """How the predictions of one video are to be read.

    Args:
        files: all of them; only a few are opened.
        truth: how their truth is read.
        prefers: "masks" where masks are expected: what is drawn in colour is object then.

    Raises:
        DataError: a file cannot be read.
    """
    samples = _samples(files)
    drawn = [raw for _, raw in samples if raw.values.any()]
    if any(raw.container == "palette" and not _is_grey_ramp(raw) for raw in drawn):
        return PredictionReading("ids", detect_encoding([summarise(*sample) for sample in samples])[0])
    if prefers == "masks" and any(raw.container == "colour" for raw in drawn):
        return PredictionReading("drawn")
    largest = max((int(raw.values.max()) for raw in drawn), default=0)
    grey = all(raw.container.startswith("grey") for raw in drawn)
    if grey and truth.has_ids and 0 < largest <= max((*truth.ids, _LARGEST_ID)):
        return PredictionReading("ids")
    return PredictionReading("unit" if grey and largest == 1 else "soft")


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


def _samples(files: Sequence[Path]) -> list[tuple[Path, RawMask]]:
    """A few files, spread evenly, the first and the last among them; more while all of them are empty."""
    step = max((len(files) - 1) // (_SAMPLES - 1), 1)
    spread = sorted({*range(0, len(files), step), len(files) - 1})[: _SAMPLES + 1]
    chosen = [(files[index], read_raw_mask(files[index])) for index in spread]
    if not any(raw.values.any() for _, raw in chosen):
        for file in files:
            raw = read_raw_mask(file)
            if raw.values.any():
                return [*chosen, (file, raw)]
    return chosen


def _is_grey_ramp(raw: RawMask) -> bool:
    palette = raw.palette
    return palette is not None and all(
        palette.colour(int(value)) == bytes([value] * 3) for value in np.unique(raw.values)
    )
