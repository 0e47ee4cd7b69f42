"""One frame, its truth and the predictions of all methods -> their scores. Runs in any thread or process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from vsodtool.config.measures import MEASURES
from vsodtool.config.protocols import Choices
from vsodtool.errors import DataError, UsageError
from vsodtool.media.maps.pairing import PairedFrame
from vsodtool.media.maps.reading import PredictionReading, TruthReading, fit_ids, fit_map
from vsodtool.metrics.levels import Normalize
from vsodtool.metrics.pair import Masks, Pair, Parts
from vsodtool.types import LabelArray

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class FrameTask:
    """What has to be read to score one frame.

    Attributes:
        video: name of the video.
        frame: its truth, and one prediction per method.
        truth_reading: how to read the truth.
        readings: how to read the predictions, one per method.
        multi: whether J and F are those of each object id.
        before: the frame before it, where that is scored too.
        first_ids: with `multi`, the ids that the first truth of the video has, also where that is not scored.
    """

    video: str
    frame: PairedFrame
    truth_reading: TruthReading
    readings: tuple[PredictionReading, ...]
    multi: bool
    before: PairedFrame | None = None
    first_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class FrameResult:
    """What the measures say of one method on one frame.

    Attributes:
        parts: name -> number, curve, or numbers by object id ({1: ...} where all objects are one; ids that
            neither truth nor prediction has here are absent); None where it has no value.
        truth_ids: the ids that the truth has here.
        empty_truth: there is no object in the truth.
        resized: the prediction had another size.
        missing: there is no prediction.
    """

    parts: Parts
    truth_ids: tuple[int, ...] = ()
    empty_truth: bool = False
    resized: bool = False
    missing: bool = False


def ids_of(labels: LabelArray) -> tuple[int, ...]:
    """The object ids in labels (H, W), sorted, without 0."""
    return tuple(int(number) for number in np.unique(labels) if number)


def named(function: str) -> Any:
    """What "module:function" names."""
    module, name = function.split(":")
    return getattr(import_module(module), name)


def require_packages(measures: Sequence[str]) -> None:
    """Refuse measures that are computed by what is not installed.

    Raises:
        UsageError: naming the extra that brings it.
    """
    for name in measures:
        needs = MEASURES[name].needs
        if needs and find_spec(needs[0]) is None:
            raise UsageError(
                f"measure '{name}' is computed by {needs[0]}, which is not installed",
                f"pip install 'vsodtool[{needs[1]}]', or leave {name} out of --measures",
            )


def score_task(task: FrameTask, choices: Choices, allow_resize: bool) -> list[FrameResult]:
    """Read the truth once and score every method against it.

    Args:
        task: what to read.
        choices: what to compute, and how.
        allow_resize: whether a prediction of another size is resized (else refused).

    Returns:
        One result per method.

    Raises:
        DataError: a file cannot be read, or a prediction has another size and may not be resized.
    """
    truth = _Truth(task, task.frame)
    before = _Truth(task, task.before) if task.before and "stability" in choices.measures else None
    results = []
    for method, file in enumerate(task.frame.predictions):
        reading = task.readings[method]
        if file is None:
            results.append(_missing(truth, choices, before))
            continue
        own = _Prediction(file, reading, truth, allow_resize=allow_resize)
        former = before.frame.predictions[method] if before is not None else None
        masks = None
        if before is not None and former is not None:
            earlier = _Prediction(former, reading, before, allow_resize=allow_resize)
            masks = (_pair(earlier.values, before, choices).mask, before.mask)
        objects = own.objects() if truth.multi and _per_object(choices) else None
        pair = _pair(own.values, truth, choices, objects, masks)
        parts = {part: value for name in choices.measures for part, value in _computed(name, pair).items()}
        results.append(FrameResult(parts, truth.object_ids, truth.is_empty, own.resized))
    return results


class _Truth:
    """The truth of one frame, and what all methods need of it."""

    def __init__(self, task: FrameTask, frame: PairedFrame) -> None:
        self.frame = frame
        self.multi = task.multi
        self.ids, self.void = task.truth_reading.read(frame.truth)
        self.mask: BoolArray = self.ids > 0
        self.is_empty = not self.mask.any()
        self.object_ids = ids_of(self.ids) if task.multi else (1,)


class _Prediction:
    """The prediction of one frame, in the size of the truth."""

    def __init__(self, file: Path, reading: PredictionReading, truth: _Truth, *, allow_resize: bool) -> None:
        self._file = file
        self._reading = reading
        self._truth = truth
        self._size = truth.mask.shape[0], truth.mask.shape[1]
        self.values = reading.read_map(file)
        self.resized = self.values.shape != self._size
        if self.resized:
            swapped = self.values.shape == self._size[::-1]
            if not allow_resize:
                raise DataError(
                    f"{file}: expected {self._size[1]}x{self._size[0]} like {truth.frame.truth}, "
                    f"found {self.values.shape[1]}x{self.values.shape[0]}"
                    + (" (width and height are swapped)" if swapped else ""),
                    "one of them was made of frames whose rotation was ignored: turn one like the other"
                    if swapped
                    else "--allow-resize scores it resized to the truth, bilinear",
                )
            self.values = fit_map(self.values, self._size)

    def objects(self) -> dict[int, Masks]:
        """Object id -> its mask here and in the truth."""
        labels, truth = self._reading.read_ids(self._file), self._truth
        ids = fit_ids(labels, self._size) if self.resized else labels
        numbers = sorted({*truth.object_ids, *ids_of(ids)})
        return {number: (ids == number, truth.ids == number) for number in numbers}


def _per_object(choices: Choices) -> bool:
    return any(MEASURES[name].per_object for name in choices.measures)


def _pair(
    values: npt.NDArray[Any],
    truth: _Truth,
    choices: Choices,
    objects: dict[int, Masks] | None = None,
    before: Masks | None = None,
) -> Pair:
    return Pair(
        values,
        truth.mask,
        objects,
        truth.void,
        before,
        measures=choices.measures,
        normalize=cast(Normalize, choices.normalize),
        threshold=choices.threshold,
    )


def _computed(measure: str, pair: Pair) -> Parts:
    parts: Parts = named(MEASURES[measure].compute)(pair)
    return parts


def _missing(truth: _Truth, choices: Choices, before: _Truth | None) -> FrameResult:
    """What the table says of a frame without a prediction, in the shape that an empty one would have."""
    nothing = np.zeros_like(truth.mask)
    objects = {n: (nothing, truth.ids == n) for n in truth.object_ids} if truth.multi else None
    earlier = None if before is None else (np.zeros_like(before.mask), before.mask)
    pair = _pair(nothing.view(np.uint8), truth, choices, objects, earlier)
    parts = {}
    for name in choices.measures:
        worst = MEASURES[name].missing
        for part, value in _computed(name, pair).items():
            parts[part] = value if worst is None else _filled(value, worst)
    return FrameResult(parts, truth.object_ids, truth.is_empty, missing=True)


def _filled(value: Any, number: float) -> Any:
    if isinstance(value, Mapping):
        return dict.fromkeys(value, number)
    return np.full_like(value, number) if isinstance(value, np.ndarray) else number
