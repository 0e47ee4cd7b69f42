"""One frame, its truth and the predictions of all methods -> their scores. Runs in any thread or process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from vsodtool.config.protocols import Choices
from vsodtool.errors import DataError
from vsodtool.media.map_pairing import PairedFrame
from vsodtool.media.map_reading import PredictionReading, TruthReading, fit_ids, fit_map
from vsodtool.metrics import boundary_f, region_j
from vsodtool.metrics.frame import MEASURES, FrameScores, score_frame
from vsodtool.metrics.levels import Normalize, as_levels

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
    """

    video: str
    frame: PairedFrame
    truth_reading: TruthReading
    readings: tuple[PredictionReading, ...]
    multi: bool


@dataclass(frozen=True)
class FrameResult:
    """Scores of one method on one frame.

    Attributes:
        scores: the saliency measures.
        j: object id -> region J; {1: J} where all objects are one. Ids that neither truth nor prediction has
            here are absent.
        boundary_f: object id -> boundary F, likewise.
        truth_ids: the ids that the truth has here.
        empty_truth: there is no object in the truth.
        resized: the prediction had another size.
        missing: there is no prediction.
    """

    scores: FrameScores
    j: Mapping[int, float] = field(default_factory=dict)
    boundary_f: Mapping[int, float] = field(default_factory=dict)
    truth_ids: tuple[int, ...] = ()
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
    file = task.frame.truth
    ids, void = task.truth_reading.read(file)
    truth = _Truth(ids, void, task.multi)
    return [
        _missing(truth, choices)
        if prediction is None
        else _score(prediction, reading, truth, file, choices, allow_resize=allow_resize)
        for prediction, reading in zip(task.frame.predictions, task.readings, strict=True)
    ]


class _Truth:
    """The truth of one frame, and what all methods need of it."""

    def __init__(self, ids: npt.NDArray[Any], void: BoolArray | None, multi: bool) -> None:
        self.ids = ids
        self.void = void
        self.multi = multi
        self.mask: BoolArray = ids > 0
        self.object_ids = tuple(int(value) for value in np.unique(ids) if value) if multi else (1,)

    @property
    def size(self) -> tuple[int, int]:
        return self.mask.shape[0], self.mask.shape[1]


def _score(
    file: Path,
    reading: PredictionReading,
    truth: _Truth,
    truth_file: Path,
    choices: Choices,
    *,
    allow_resize: bool,
) -> FrameResult:
    values = reading.read_map(file)
    resized = values.shape != truth.mask.shape
    if resized:
        if not allow_resize:
            raise DataError(
                f"{file}: expected {truth.size[1]}x{truth.size[0]} like {truth_file}, "
                f"found {values.shape[1]}x{values.shape[0]}",
                "--allow-resize scores it resized to the truth, bilinear",
            )
        values = fit_map(values, truth.size)
    normalize = cast(Normalize, choices.normalize)
    empty = not truth.mask.any()
    scores = FrameScores(empty_truth=empty)
    measures = [name for name in choices.measures if name in MEASURES]
    if measures:
        scores = score_frame(
            values, truth.mask, measures=measures, normalize=normalize, threshold=choices.threshold
        )
    j: dict[int, float] = {}
    f: dict[int, float] = {}
    if {"j", "boundary_f"} & set(choices.measures):
        if truth.multi:
            own = reading.read_ids(file)
            own = fit_ids(own, truth.size) if resized else own
            pairs = {
                number: (own == number, truth.ids == number)
                for number in sorted({*truth.object_ids, *map(int, np.unique(own))} - {0})
            }
        else:
            levels = as_levels(values, normalize)
            pairs = {1: ((levels.values >= choices.threshold)[levels.index], truth.mask)}
        for number, (mask, of_truth) in pairs.items():
            if "j" in choices.measures:
                j[number] = region_j(mask, of_truth)
            if "boundary_f" in choices.measures:
                f[number] = boundary_f(mask, of_truth)
    return FrameResult(scores, j, f, truth.object_ids, empty, resized)


def _missing(truth: _Truth, choices: Choices) -> FrameResult:
    """The worst score in everything that is measured."""
    curve = np.zeros(256)
    worst: dict[str, dict[str, Any]] = {
        "mae": {"mae": 1.0},
        "s_measure": {"s_measure": 0.0},
        "weighted_f": {"weighted_f": 0.0},
        "iou": {"iou": 0.0},
        "f": {
            "precision_curve": curve,
            "recall_curve": curve,
            "f_curve": curve,
            "adaptive_precision": 0.0,
            "adaptive_recall": 0.0,
            "adaptive_f": 0.0,
        },
        "e": {"e_curve": curve, "adaptive_e": 0.0},
    }
    values = {key: value for name in choices.measures for key, value in worst.get(name, {}).items()}
    empty = not truth.mask.any()
    zeros = dict.fromkeys(truth.object_ids, 0.0)
    return FrameResult(
        FrameScores(**values, empty_truth=empty),
        zeros if "j" in choices.measures else {},
        zeros if "boundary_f" in choices.measures else {},
        truth.object_ids,
        empty,
        missing=True,
    )
