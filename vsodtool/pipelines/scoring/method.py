"""The running totals of one method, and the report that they become."""

from __future__ import annotations

import heapq
import itertools
from pathlib import Path

import numpy as np

from vsodtool.config.measures import MEASURES, frame_score, is_lower_better, worst_measure
from vsodtool.config.protocols import Choices
from vsodtool.pipelines.scoring.frame import FrameResult, FrameTask
from vsodtool.pipelines.scoring.report import FrameCounts, MethodReport, WorstFrame
from vsodtool.pipelines.scoring.totals import (
    Scores,
    Sums,
    VideoTotals,
    frame_scores,
    mean_scores,
    ordered,
    pooled_sequence_scores,
    sequence_scores,
    total,
)

WORST = 8


class MethodTotals:
    """Takes in the frames of one method, video by video, in order."""

    def __init__(self, index: int, name: str, predictions: Path, choices: Choices) -> None:
        self.name = name
        self._index = index
        self._predictions = predictions
        self._choices = choices
        worst = worst_measure(choices.measures)
        self._worst_by = frame_score(worst) if worst else ""
        self._whole = frozenset(
            score
            for name in choices.measures
            if not MEASURES[name].of_frames
            for score in MEASURES[name].scores
        )
        self._videos: dict[str, VideoTotals] = {}
        self._worst: list[tuple[float, int, WorstFrame]] = []  # a heap, the least bad on top
        self._number = itertools.count()

    def add(self, task: FrameTask, result: FrameResult) -> Scores:
        """Take in the next frame; returns its scores."""
        totals = self._videos.setdefault(task.video, VideoTotals(task.video, task.first_ids))
        totals.add(result, self._whole)
        scores = frame_scores(result, self._choices)
        if not result.missing and self._worst_by in scores:
            value = scores[self._worst_by]
            badness = value if is_lower_better(self._worst_by) else -value
            heapq.heappush(self._worst, (badness, -next(self._number), WorstFrame(task, self._index, value)))
            if len(self._worst) > WORST:
                heapq.heappop(self._worst)
        return scores

    def report(self, *, ends: int, given: int, extra: int) -> MethodReport:
        """Everything together.

        Raises:
            DataError: the predictions have an object that the truth has not (see `VideoTotals.series`).
        """
        choices, videos = self._choices, list(self._videos.values())
        series = [video.series() for video in videos]
        flat = {
            name: [curve for found in series for curve in found.get(name, {}).values()]
            for name in choices.measures
            if MEASURES[name].per_object
        }
        over_frames, over_videos = (average([v.sums for v in videos], by) for by in ("frame", "video"))
        by_frames = ordered(mean_scores(over_frames, choices) | pooled_sequence_scores(flat))
        by_videos = ordered(mean_scores(over_videos, choices) | sequence_scores(flat))
        chosen = over_frames if choices.average == "frame" else over_videos
        empty, drawn = total(v.empty for v in videos), [v.drawn for v in videos if v.drawn.frames]
        return MethodReport(
            name=self.name,
            predictions=self._predictions,
            frames=FrameCounts(
                scored=sum(v.frames for v in videos),
                ends=ends,
                given=given,
                empty_truth=empty.frames,
                resized=sum(v.resized for v in videos),
                missing=sum(v.missing for v in videos),
                extra=extra,
            ),
            scores=by_frames if choices.average == "frame" else by_videos,
            videos={v.name: v.scores(choices) for v in videos},
            average_over_frames=by_frames,
            average_over_videos=by_videos,
            empty_truth=ordered(mean_scores(empty.mean(), choices)) if empty.frames else {},
            without_empty_truth=ordered(mean_scores(average(drawn, choices.average), choices))
            if drawn and empty.frames
            else {},
            curves={name: part for name, part in chosen.parts.items() if isinstance(part, np.ndarray)},
            video_frames={v.name: v.frames for v in videos},
            objects={
                v.name: max(map(len, found.values()), default=0)
                for v, found in zip(videos, series, strict=True)
            },
            worst=tuple(
                entry for _, _, entry in sorted(self._worst, key=lambda item: item[:2], reverse=True)
            ),
        )


def average(sums: list[Sums], by: str) -> Sums:
    """Means over all frames (by "frame"), or means over videos of the means over their frames ("video")."""
    return total(sums).mean() if by == "frame" else total(each.mean() for each in sums).mean()
