"""Parts of frames -> scores of a video -> scores of a method. Of a frame only a few numbers are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from vsodtool.config.measures import MEASURES, frame_score, score_names
from vsodtool.config.protocols import Choices
from vsodtool.errors import DataError
from vsodtool.metrics.f_measure import f_measure
from vsodtool.metrics.pair import Parts
from vsodtool.metrics.video import RECALL_ABOVE, sequence_statistics
from vsodtool.pipelines.scoring.frame import FrameResult, named

Scores: TypeAlias = dict[str, float]
Curve: TypeAlias = npt.NDArray[np.float64]  # (256,)
Means: TypeAlias = dict[str, float | Curve]
Series: TypeAlias = dict[str, dict[int, Curve]]  # measure -> object id -> (T,)


@dataclass
class Sums:
    """Sums over frames, or over the means of videos.

    Attributes:
        frames: how many were added.
        parts: name -> sum of a number or of a curve.
        counts: name -> how many had it.
    """

    frames: int = 0
    parts: Means = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, parts: Parts, count: int = 1) -> None:
        """Take in a frame: its numbers and curves, not those of objects."""
        self.frames += count
        for name, value in parts.items():
            if value is not None and not isinstance(value, Mapping):
                self._add(name, value, 1)

    def merged(self, other: Sums) -> Sums:
        """The sums over both."""
        result = Sums(self.frames + other.frames, dict(self.parts), dict(self.counts))
        for name, value in other.parts.items():
            result._add(name, value, other.counts[name])
        return result

    def mean(self) -> Sums:
        """The means, as the sums over one."""
        parts = {name: value / self.counts[name] for name, value in self.parts.items()}
        return Sums(min(self.frames, 1), parts, dict.fromkeys(parts, 1))

    def _add(self, name: str, value: float | Curve, count: int) -> None:
        self.parts[name] = self.parts[name] + value if name in self.parts else value
        self.counts[name] = self.counts.get(name, 0) + count


def total(parts: Iterable[Sums]) -> Sums:
    """The sum of sums."""
    result = Sums()
    for part in parts:
        result = result.merged(part)
    return result


class VideoTotals:
    """What is known of one video of one method."""

    def __init__(self, name: str, first_ids: Iterable[int] = ()) -> None:
        """Nothing yet.

        Args:
            name: of the video.
            first_ids: objects of its first truth. They count even where no frame that is scored has them:
                DAVIS takes the objects from the first frame before it drops that.
        """
        self.name = name
        self.drawn = Sums()  # over the frames whose truth has an object
        self.empty = Sums()  # over those whose truth has none
        self.resized = 0
        self.missing = 0
        self._whole = Sums()  # of measures that do not tell these two apart
        self._truth_ids = set(first_ids)
        self._first_ids = frozenset(self._truth_ids)
        self._objects: dict[str, list[dict[int, float]]] = {}
        self._absent: list[float] = []  # J and F of an object that neither has: 1; 0 if nothing was predicted

    @property
    def frames(self) -> int:
        """Frames scored."""
        return self.drawn.frames + self.empty.frames

    @property
    def sums(self) -> Sums:
        """Over all frames."""
        return self.drawn.merged(self.empty).merged(self._whole)

    def add(self, result: FrameResult, whole: frozenset[str]) -> None:
        """Take in the next frame; the order matters for the decay of J and F.

        Args:
            result: of the frame.
            whole: the parts that do not tell frames with and without an object apart.
        """
        apart = {name: value for name, value in result.parts.items() if name not in whole}
        (self.empty if result.empty_truth else self.drawn).add(apart)
        self._whole.add({name: result.parts[name] for name in whole & result.parts.keys()}, count=0)
        self.resized += result.resized
        self.missing += result.missing
        self._truth_ids.update(result.truth_ids)
        for name, value in result.parts.items():
            if isinstance(value, Mapping):
                self._objects.setdefault(name, []).append(dict(value))
        self._absent.append(0.0 if result.missing else 1.0)

    def series(self) -> Series:
        """The numbers of every object in every frame.

        Raises:
            DataError: the predictions have an object that the truth has neither in its first frame nor in one
                that is scored.
        """
        found: Series = {}
        for name, rows in self._objects.items():
            numbers = sorted(self._first_ids.union(*rows))
            strangers = [number for number in numbers if number not in self._truth_ids]
            if strangers:
                raise DataError(
                    f"{self.name}: expected predictions of the objects {_listing(sorted(self._truth_ids))}, "
                    f"found object {strangers[0]}, which the truth has neither in its first frame nor in one "
                    "that is scored",
                    "--objects single scores all objects as one",
                )
            found[name] = {
                number: np.array(
                    [row.get(number, absent) for row, absent in zip(rows, self._absent, strict=True)]
                )
                for number in numbers
            }
        return found

    def scores(self, choices: Choices) -> Scores:
        """Score names of the contract -> value."""
        series = {name: list(found.values()) for name, found in self.series().items()}
        return ordered(mean_scores(self.sums.mean(), choices) | sequence_scores(series))


def mean_scores(mean: Sums, choices: Choices) -> Scores:
    """Scores of means of frames or of videos."""
    scores: Scores = {}
    for name in choices.measures:
        measure = MEASURES[name]
        if measure.summarise:
            scores |= named(measure.summarise)(mean.parts, choices)
        else:
            scores |= {score: float(mean.parts[score]) for score in measure.scores if score in mean.parts}
    return scores


def ordered(scores: Scores) -> Scores:
    """In the order of the table."""
    return {name: scores[name] for name in score_names() if name in scores}


def f_scores(mean: Means, choices: Choices) -> Scores:
    """Maximum, mean and adaptive F, from where the choices say."""
    if "f_curve" not in mean:
        return {}
    adaptive = float(mean["adaptive_f"])
    if choices.f_measure == "frame-curves":
        curve = np.asarray(mean["f_curve"])
        return {"max_f": float(curve.max()), "mean_f": float(curve.mean()), "adaptive_f": adaptive}
    curve = f_measure(mean["precision_curve"], mean["recall_curve"])
    # What its tables call mean F is the mean of F at each frame's adaptive threshold: that gives
    # the .795 published for DSS on SOD; F of the mean precision and recall there is .838.
    return {"max_f": float(curve.max()), "mean_f": adaptive, "adaptive_f": adaptive}


def e_scores(mean: Means, _: Choices) -> Scores:
    """Maximum, mean and adaptive E."""
    if "e_curve" not in mean:
        return {}
    curve = np.asarray(mean["e_curve"])
    return {
        "max_e": float(curve.max()),
        "mean_e": float(curve.mean()),
        "adaptive_e": float(mean["adaptive_e"]),
    }


def frame_scores(result: FrameResult, choices: Choices) -> Scores:
    """Scores of one frame, by the names of the contract; those of objects are means over them."""
    sums = Sums()
    sums.add(result.parts)
    scores = mean_scores(sums, choices)
    for name, value in result.parts.items():
        if isinstance(value, Mapping) and value:
            scores[frame_score(name)] = sum(value.values()) / len(value)
    return scores


def sequence_scores(series: Mapping[str, Sequence[Curve]]) -> Scores:
    """Mean, recall and decay of each series, then the mean over the series.

    Args:
        series: measure -> one (T,) per object and video.
    """
    scores: Scores = {}
    for name, curves in series.items():
        if curves:
            found = [sequence_statistics(curve) for curve in curves]
            for what in ("mean", "recall", "decay"):
                scores[f"{name}_{what}"] = float(np.mean([getattr(each, what) for each in found]))
    if "j_mean" in scores and "boundary_f_mean" in scores:
        scores["j_and_f"] = (scores["j_mean"] + scores["boundary_f_mean"]) / 2
    return scores


def pooled_sequence_scores(series: Mapping[str, Sequence[Curve]]) -> Scores:
    """Mean and recall over all frames and objects; a decay needs an order, so there is none."""
    scores: Scores = {}
    for name, curves in series.items():
        if curves:
            values = np.concatenate(curves)
            scores[f"{name}_mean"] = float(values.mean())
            scores[f"{name}_recall"] = float((values > RECALL_ABOVE).mean())
    return scores


def _listing(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"
