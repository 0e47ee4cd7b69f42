"""The totals of a method: both averages, the worst frames, what stands apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from vsodtool.config.protocols import PROTOCOLS
from vsodtool.pipelines.scoring.frame import FrameResult, FrameTask
from vsodtool.pipelines.scoring.method import WORST, MethodTotals, average
from vsodtool.pipelines.scoring.totals import Sums


def task(video: str, name: str = "0") -> FrameTask:
    """Of a task the totals want nothing but the name of the video."""
    return FrameTask(video, cast(Any, name), cast(Any, None), (), False)


def totals(protocol: str) -> MethodTotals:
    return MethodTotals(0, "m", Path("p"), PROTOCOLS[protocol])


def test_every_video_or_every_frame_counts_the_same() -> None:
    long, short = Sums(), Sums()
    for value in (0.0, 0.0, 0.3):
        long.add({"mae": value})
    short.add({"mae": 0.5})
    assert average([long, short], "frame").parts["mae"] == pytest.approx(0.2)
    assert average([long, short], "video").parts["mae"] == pytest.approx(0.3)


def test_scores_are_averaged_as_the_protocol_says() -> None:
    method = totals("davsod")
    for video, value in (("a", 0.0), ("a", 0.3), ("b", 0.5)):
        method.add(task(video), FrameResult({"mae": value}))
    report = method.report(ends=2, given=1, extra=3)
    assert report.scores == report.average_over_videos == {"mae": pytest.approx(0.325)}
    assert report.average_over_frames == {"mae": pytest.approx(0.8 / 3)}
    assert (report.video_frames, report.objects) == ({"a": 2, "b": 1}, {"a": 0, "b": 0})
    counts = report.frames
    assert (counts.scored, counts.ends, counts.given, counts.extra) == (3, 2, 1, 3)


def test_frames_without_an_object_are_told_apart() -> None:
    method = totals("davsod")
    method.add(task("a"), FrameResult({"mae": 0.4}, empty_truth=True))
    method.add(task("a"), FrameResult({"mae": 0.2}))
    report = method.report(ends=0, given=0, extra=0)
    assert (report.empty_truth, report.without_empty_truth) == ({"mae": 0.4}, {"mae": 0.2})


def test_the_worst_frames_come_first_and_missing_ones_are_none_of_them() -> None:
    method = totals("davis")
    for index in range(WORST + 4):
        method.add(task("a", str(index)), FrameResult({"j": {1: index / 20}}, truth_ids=(1,)))
    method.add(task("a", "gone"), FrameResult({"j": {1: -1.0}}, truth_ids=(1,), missing=True))
    worst = method.report(ends=0, given=0, extra=0).worst
    assert [frame.score for frame in worst] == [index / 20 for index in range(WORST)]


def test_a_run_that_reads_nothing_has_no_scores() -> None:
    report = totals("davis").report(ends=0, given=0, extra=0)
    assert (report.scores, report.videos, report.worst) == ({}, {}, ())
