"""One frame, its truth and the predictions of all methods -> their scores. Runs in any thread or process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from vsodtool.config.protocols import Choices
from vsodtool.errors import DataError
from vsodtool.media.maps.pairing import PairedFrame
from vsodtool.media.maps.reading import PredictionReading, TruthReading, fit_ids, fit_map
from vsodtool.metrics import (
    MEASURES,
    FrameScores,
    Normalize,
    boundary_f,
    human_correction_effort,
    region_j,
    score_frame,
    temporal_stability,
)
from vsodtool.metrics.levels import Levels, as_levels

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
    """

    video: str
    frame: PairedFrame
    truth_reading: TruthReading
    readings: tuple[PredictionReading, ...]
    multi: bool
    before: PairedFrame | None = None


@dataclass(frozen=True)
class FrameResult:
    """Scores of one method on one frame.

    Attributes:
        scores: the saliency measures.
        j: object id -> region J; {1: J} where all objects are one. Ids that neither truth nor prediction has
            here are absent.
        boundary_f: object id -> boundary F, likewise.
        truth_ids: the ids that the truth has here.
        values: "hce" and "stability", where they are measured and have a value.
        empty_truth: there is no object in the truth.
        resized: the prediction had another size.
        missing: there is no prediction.
    """

    scores: FrameScores
    j: Mapping[int, float] = field(default_factory=dict)
    boundary_f: Mapping[int, float] = field(default_factory=dict)
    truth_ids: tuple[int, ...] = ()
    values: Mapping[str, float] = field(default_factory=dict)
    empty_truth: bool = False
    resized: bool = False
    missing: bool = False


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
        if file is None:
            results.append(_missing(truth, choices, before))
            continue
        own = _Prediction(file, task.readings[method], truth, choices, allow_resize=allow_resize)
        former = before.frame.predictions[method] if before is not None else None
        pair = None
        if before is not None and former is not None:
            mask = _Prediction(former, task.readings[method], before, choices, allow_resize=allow_resize).mask
            pair = (before.mask, mask)
        results.append(_score(own, truth, choices, pair))
    return results


class _Truth:
    """The truth of one frame, and what all methods need of it."""

    def __init__(self, task: FrameTask, frame: PairedFrame) -> None:
        self.frame = frame
        self.multi = task.multi
        self.ids, self.void = task.truth_reading.read(frame.truth)
        self.mask: BoolArray = self.ids > 0
        self.is_empty = not self.mask.any()
        self.object_ids = tuple(int(n) for n in np.unique(self.ids) if n) if task.multi else (1,)


class _Prediction:
    """The prediction of one frame, in the size of the truth."""

    def __init__(
        self,
        file: Path,
        reading: PredictionReading,
        truth: _Truth,
        choices: Choices,
        *,
        allow_resize: bool,
    ) -> None:
        self._file = file
        self._reading = reading
        self._threshold = choices.threshold
        self._normalize = cast(Normalize, choices.normalize)
        self._size = truth.mask.shape[0], truth.mask.shape[1]
        self.values = reading.read_map(file)
        self.resized = self.values.shape != self._size
        if self.resized:
            if not allow_resize:
                raise DataError(
                    f"{file}: expected {self._size[1]}x{self._size[0]} like {truth.frame.truth}, "
                    f"found {self.values.shape[1]}x{self.values.shape[0]}",
                    "--allow-resize scores it resized to the truth, bilinear",
                )
            self.values = fit_map(self.values, self._size)

    @cached_property
    def levels(self) -> Levels:
        return as_levels(self.values, self._normalize)

    @cached_property
    def mask(self) -> BoolArray:
        return np.asarray((self.levels.values >= self._threshold)[self.levels.index])

    @property
    def mask_above(self) -> BoolArray:
        """Strictly above the threshold, as the benchmark of the Human Correction Effort cuts."""
        return np.asarray((self.levels.values > self._threshold)[self.levels.index])

    def ids(self) -> npt.NDArray[np.uint16]:
        labels = self._reading.read_ids(self._file)
        return fit_ids(labels, self._size) if self.resized else labels


def _score(
    own: _Prediction, truth: _Truth, choices: Choices, before: tuple[BoolArray, BoolArray] | None
) -> FrameResult:
    """Scores of a prediction; `before` is truth and prediction of the frame before."""
    measures = [name for name in choices.measures if name in MEASURES]
    scores = FrameScores(empty_truth=truth.is_empty)
    if measures:
        normalize = cast(Normalize, choices.normalize)
        threshold = choices.threshold
        scores = score_frame(
            own.values, truth.mask, measures=measures, normalize=normalize, threshold=threshold
        )
    j: dict[int, float] = {}
    f: dict[int, float] = {}
    if {"j", "boundary_f"} & set(choices.measures):
        for number, (mask, of_truth) in _objects(own, truth).items():
            if "j" in choices.measures:
                j[number] = region_j(mask, of_truth, truth.void)
            if "boundary_f" in choices.measures:
                f[number] = boundary_f(mask, of_truth, void=truth.void)
    values: dict[str, float] = {}
    if "hce" in choices.measures:
        values["hce"] = float(human_correction_effort(own.mask_above, truth.mask))
    if before is not None:
        stability = temporal_stability(before[1], own.mask, before[0], truth.mask)
        values |= {} if stability is None else {"stability": stability}
    return FrameResult(scores, j, f, truth.object_ids, values, truth.is_empty, own.resized)


def _objects(own: _Prediction, truth: _Truth) -> dict[int, tuple[BoolArray, BoolArray]]:
    """Object id -> its mask in the prediction and in the truth."""
    if not truth.multi:
        return {1: (own.mask, truth.mask)}
    ids = own.ids()
    numbers = sorted({*truth.object_ids, *map(int, np.unique(ids))} - {0})
    return {number: (ids == number, truth.ids == number) for number in numbers}


def _missing(truth: _Truth, choices: Choices, before: _Truth | None) -> FrameResult:
    """The worst score in everything that is measured; for HCE, which has no worst, that of an empty mask."""
    curve = np.zeros(256)
    worst: dict[str, dict[str, Any]] = {
        "mae": {"mae": 1.0},
        "s_measure": {"s_measure": 0.0},
        "weighted_f": {"weighted_f": 0.0},
        "iou": {"iou": 0.0},
        "f": {"precision_curve": curve, "recall_curve": curve, "f_curve": curve, "adaptive_f": 0.0},
        "e": {"e_curve": curve, "adaptive_e": 0.0},
    }
    scores = {key: value for name in choices.measures for key, value in worst.get(name, {}).items()}
    zeros = dict.fromkeys(truth.object_ids, 0.0)
    values: dict[str, float] = {}
    if "hce" in choices.measures:
        values["hce"] = float(human_correction_effort(np.zeros_like(truth.mask), truth.mask))
    if before is not None:
        values["stability"] = 0.0
    return FrameResult(
        FrameScores(**scores, empty_truth=truth.is_empty),
        zeros if "j" in choices.measures else {},
        zeros if "boundary_f" in choices.measures else {},
        truth.object_ids,
        values,
        truth.is_empty,
        missing=True,
    )
