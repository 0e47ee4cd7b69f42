"""The running totals of one method, and the report that they become."""

from __future__ import annotations

import heapq
import itertools
from pathlib import Path

import numpy as np

from vsodtool.config.protocols import Choices
from vsodtool.pipelines.scoring.frame import FrameResult, FrameTask
from vsodtool.pipelines.scoring.report import FrameCounts, MethodReport, WorstFrame
from vsodtool.pipelines.scoring.totals import (
    LOWER_IS_BETTER,
    Scores,
    Sums,
    VideoTotals,
    pooled_sequence_scores,
    saliency_scores,
    sequence_scores,
    total,
    worst_measure,
)

WORST = 8
_KINDS = ("j", "boundary_f")


class MethodTotals:
    """Takes in the frames of one method, video by video, in order."""

    def __init__(self, index: int, name: str, predictions: Path, choices: Choices) -> None:
        self.name = name
        self._index = index
        self._predictions = predictions
        self._choices = choices
        self._worst_by = worst_measure(choices)
        self._videos: dict[str, VideoTotals] = {}
        self._worst: list[tuple[float, int, WorstFrame]] = []  # a heap, the least bad on top
        self._number = itertools.count()

    def add(self, task: FrameTask, result: FrameResult) -> Scores:
        """Take in the next frame; returns its scores."""
        totals = self._videos.setdefault(task.video, VideoTotals(task.video))
        totals.add(result)
        scores = frame_scores(result, self._choices)
        if not result.missing and self._worst_by in scores:
            value = scores[self._worst_by]
            badness = value if self._worst_by in LOWER_IS_BETTER else -value
            heapq.heappush(self._worst, (badness, -next(self._number), WorstFrame(task, self._index, value)))
            if len(self._worst) > WORST:
                heapq.heappop(self._worst)
        return scores

    def report(self, *, ends: int, given: int, extra: int) -> MethodReport:
        """Everything together.

        Raises:
            DataError: the predictions have an object that the truth never has.
        """
        choices, videos = self._choices, list(self._videos.values())
        series = {kind: [video.series(kind) for video in videos] for kind in _KINDS}
        flat = {kind: [curve for of in found for curve in of.values()] for kind, found in series.items()}
        over_frames, over_videos = (average([v.sums for v in videos], by) for by in ("frame", "video"))
        by_frames = (
            saliency_scores(over_frames, choices) | pooled_sequence_scores(flat) | _pooled_values(videos)
        )
        by_videos = saliency_scores(over_videos, choices) | sequence_scores(flat) | _mean_values(videos)
        chosen = over_frames if choices.average == "frame" else over_videos
        empty, drawn = total(v.empty for v in videos), [v.drawn for v in videos if v.drawn.count]
        return MethodReport(
            name=self.name,
            predictions=self._predictions,
            frames=FrameCounts(
                scored=sum(v.frames for v in videos),
                ends=ends,
                given=given,
                empty_truth=empty.count,
                resized=sum(v.resized for v in videos),
                missing=sum(v.missing for v in videos),
                extra=extra,
            ),
            scores=by_frames if choices.average == "frame" else by_videos,
            videos={v.name: v.scores(choices) for v in videos},
            average_over_frames=by_frames,
            average_over_videos=by_videos,
            empty_truth=saliency_scores(empty.mean(), choices) if empty.count else {},
            without_empty_truth=saliency_scores(average(drawn, choices.average), choices)
            if drawn and empty.count
            else {},
            curves=dict(chosen.curves),
            video_frames={v.name: v.frames for v in videos},
            objects={v.name: len(found) for v, found in zip(videos, series["j"], strict=True)},
            worst=tuple(
                entry for _, _, entry in sorted(self._worst, key=lambda item: item[:2], reverse=True)
            ),
        )


def average(sums: list[Sums], by: str) -> Sums:
    """Means over all frames (by "frame"), or means over videos of the means over their frames ("video")."""
    return total(sums).mean() if by == "frame" else total(each.mean() for each in sums).mean()


def frame_scores(result: FrameResult, choices: Choices) -> Scores:
    """Scores of one frame, by the names of the contract; `j` and `boundary_f` are means over its objects."""
    sums = Sums()
    sums.add_frame(result.scores)
    scores = saliency_scores(sums, choices)
    for kind, values in (("j", result.j), ("boundary_f", result.boundary_f)):
        if values:
            scores[kind] = sum(values.values()) / len(values)
    return scores | dict(result.values)


def _pooled_values(videos: list[VideoTotals]) -> Scores:
    kinds = sorted({kind for video in videos for kind in video.values})
    return {
        kind: float(np.mean([x for video in videos for x in video.values.get(kind, [])])) for kind in kinds
    }


def _mean_values(videos: list[VideoTotals]) -> Scores:
    kinds = sorted({kind for video in videos for kind in video.values})
    return {
        kind: float(np.mean([np.mean(video.values[kind]) for video in videos if kind in video.values]))
        for kind in kinds
    }
