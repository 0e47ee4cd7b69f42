"""Scores of frames -> scores of a video -> scores of a method. Of a frame only a few numbers are kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from vsodtool.config.protocols import Choices
from vsodtool.errors import DataError
from vsodtool.metrics.f_measure import f_measure
from vsodtool.metrics.frame import FrameScores
from vsodtool.metrics.video import sequence_statistics
from vsodtool.pipelines.scoring.frame import FrameResult

Scores: TypeAlias = dict[str, float]
Curve: TypeAlias = npt.NDArray[np.float64]  # (256,)

SCORE_ORDER = (
    "mae",
    "max_f",
    "mean_f",
    "adaptive_f",
    "weighted_f",
    "s_measure",
    "max_e",
    "mean_e",
    "adaptive_e",
    "iou",
    "j_mean",
    "j_recall",
    "j_decay",
    "boundary_f_mean",
    "boundary_f_recall",
    "boundary_f_decay",
    "j_and_f",
    "hce",
    "stability",
)
FRAME_ORDER = (*SCORE_ORDER[:10], "j", "boundary_f", "hce", "stability")
LOWER_IS_BETTER = frozenset({"mae", "j_decay", "boundary_f_decay", "hce"})

_SCALARS = (
    "mae",
    "s_measure",
    "weighted_f",
    "iou",
    "adaptive_f",
    "adaptive_e",
)
_CURVES = ("precision_curve", "recall_curve", "f_curve", "e_curve")


@dataclass
class Sums:
    """Sums over frames, or over the means of videos.

    Attributes:
        count: how many were added.
        scalars: name -> sum.
        curves: name -> sum, float64 (256,).
    """

    count: int = 0
    scalars: dict[str, float] = field(default_factory=dict)
    curves: dict[str, Curve] = field(default_factory=dict)

    def add_frame(self, scores: FrameScores) -> None:
        """Take in one frame."""
        self.count += 1
        for name in _SCALARS:
            value = getattr(scores, name)
            if value is not None:
                self.scalars[name] = self.scalars.get(name, 0.0) + value
        for name in _CURVES:
            curve = getattr(scores, name)
            if curve is not None:
                self.curves[name] = self.curves[name] + curve if name in self.curves else curve.copy()

    def merged(self, other: Sums) -> Sums:
        """The sums over both."""
        scalars = {key: self.scalars.get(key, 0.0) + other.scalars.get(key, 0.0) for key in self.scalars}
        scalars |= {key: value for key, value in other.scalars.items() if key not in scalars}
        curves = {key: value + other.curves.get(key, 0.0) for key, value in self.curves.items()}
        curves |= {key: value for key, value in other.curves.items() if key not in curves}
        return Sums(self.count + other.count, scalars, curves)

    def mean(self) -> Sums:
        """The means, as the sums over one."""
        scalars = {key: value / self.count for key, value in self.scalars.items()}
        return Sums(1, scalars, {key: value / self.count for key, value in self.curves.items()})


def total(parts: Iterable[Sums]) -> Sums:
    """The sum of sums."""
    result = Sums()
    for part in parts:
        result = result.merged(part)
    return result


class VideoTotals:
    """What is known of one video of one method."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.drawn = Sums()  # over the frames whose truth has an object
        self.empty = Sums()  # over those whose truth has none
        self.resized = 0
        self.missing = 0
        self.truth_ids: set[int] = set()
        self.values: dict[str, list[float]] = {}  # "hce" and "stability" of the frames that have a value
        self._j: list[dict[int, float]] = []
        self._f: list[dict[int, float]] = []
        self._absent: list[float] = []  # J and F of an object that neither has: 1; 0 if nothing was predicted

    @property
    def frames(self) -> int:
        """Frames scored."""
        return self.drawn.count + self.empty.count

    @property
    def sums(self) -> Sums:
        """Over all frames."""
        return self.drawn.merged(self.empty)

    def add(self, result: FrameResult) -> None:
        """Take in the next frame; the order matters for the decay of J and F."""
        (self.empty if result.empty_truth else self.drawn).add_frame(result.scores)
        self.resized += result.resized
        self.missing += result.missing
        self.truth_ids.update(result.truth_ids)
        for kind, value in result.values.items():
            self.values.setdefault(kind, []).append(value)
        self._j.append(dict(result.j))
        self._f.append(dict(result.boundary_f))
        self._absent.append(0.0 if result.missing else 1.0)

    def series(self, kind: str) -> dict[int, Curve]:
        """Object id -> J ("j") or F ("boundary_f") of every frame, float64 (T,); empty if not measured.

        Raises:
            DataError: the predictions have an object that the truth never has.
        """
        rows = self._j if kind == "j" else self._f
        found = {number for row in rows for number in row}
        if not found:
            return {}
        strangers = sorted(found - self.truth_ids)
        if strangers:
            raise DataError(
                f"{self.name}: expected predictions of the objects {_listing(sorted(self.truth_ids))}, "
                f"found object {strangers[0]}, which the truth never has",
                "--objects single scores all objects as one",
            )
        return {
            number: np.array(
                [row.get(number, absent) for row, absent in zip(rows, self._absent, strict=True)]
            )
            for number in sorted(found)
        }

    def scores(self, choices: Choices) -> Scores:
        """Score names of the contract -> value."""
        series = {kind: list(self.series(kind).values()) for kind in ("j", "boundary_f")}
        return (
            saliency_scores(self.sums.mean(), choices)
            | sequence_scores(series)
            | {kind: float(np.mean(values)) for kind, values in self.values.items()}
        )


def saliency_scores(mean: Sums, choices: Choices) -> Scores:
    """Scores of means of frames or of videos.

    Args:
        mean: scalars and curves.
        choices: where maximum and mean F come from.
    """
    scores: Scores = {
        name: mean.scalars[name] for name in ("mae", "s_measure", "weighted_f", "iou") if name in mean.scalars
    }
    if "f_curve" in mean.curves:
        if choices.f_measure == "frame-curves":
            curve = mean.curves["f_curve"]
            scores["max_f"], scores["mean_f"] = float(curve.max()), float(curve.mean())
        else:
            curve = f_measure(mean.curves["precision_curve"], mean.curves["recall_curve"])
            # What its tables call mean F is the mean of F at each frame's adaptive threshold: that gives
            # the .795 published for DSS on SOD; F of the mean precision and recall there is .838.
            scores["max_f"], scores["mean_f"] = float(curve.max()), mean.scalars["adaptive_f"]
        scores["adaptive_f"] = mean.scalars["adaptive_f"]
    if "e_curve" in mean.curves:
        curve = mean.curves["e_curve"]
        scores |= {"max_e": float(curve.max()), "mean_e": float(curve.mean())}
        scores["adaptive_e"] = mean.scalars["adaptive_e"]
    return {name: scores[name] for name in SCORE_ORDER if name in scores}


def sequence_scores(series: dict[str, list[Curve]]) -> Scores:
    """Mean, recall and decay of J and F: of each series, then the mean over the series.

    Args:
        series: "j" and "boundary_f" -> one (T,) per object and video.
    """
    scores: Scores = {}
    for kind, curves in series.items():
        if curves:
            found = [sequence_statistics(curve) for curve in curves]
            for what in ("mean", "recall", "decay"):
                scores[f"{kind}_{what}"] = float(np.mean([getattr(each, what) for each in found]))
    if "j_mean" in scores and "boundary_f_mean" in scores:
        scores["j_and_f"] = (scores["j_mean"] + scores["boundary_f_mean"]) / 2
    return scores


def pooled_sequence_scores(series: dict[str, list[Curve]]) -> Scores:
    """Mean and recall of J and F over all frames and objects; a decay needs an order, so there is none."""
    scores: Scores = {}
    for kind, curves in series.items():
        if curves:
            values = np.concatenate(curves)
            scores[f"{kind}_mean"] = float(values.mean())
            scores[f"{kind}_recall"] = float((values > 0.5).mean())
    return scores


def _listing(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"


def worst_measure(choices: Choices) -> str:
    """The measure by which the worst frames are chosen, "" if none of the measures says it of a frame."""
    ranking = {"j": "j", "boundary_f": "boundary_f", "s_measure": "s_measure", "f": "max_f", "mae": "mae"}
    ranking |= {"weighted_f": "weighted_f", "iou": "iou", "e": "max_e", "hce": "hce"}
    return next((name for measure, name in ranking.items() if measure in choices.measures), "")
