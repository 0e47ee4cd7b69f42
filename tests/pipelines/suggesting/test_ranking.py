"""The order of the frames in words: what is around them, why they are there, and which object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vsodtool.media.annotations.objects import ObjectInfo
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import Manifest
from vsodtool.pipelines.suggesting.finished import Finished, FinishedVideo
from vsodtool.pipelines.suggesting.ranking import rank, rank_at_once, rank_spread
from vsodtool.types import FrameRecord, FrameStatus


def video(name: str, count: int, labels: Sequence[int], cuts: Sequence[int] = ()) -> FinishedVideo:
    """The table of a video with these labels, every frame half sure."""
    rows = []
    for index in range(count):
        shot = max((cut for cut in cuts if cut <= index), default=0)
        end = min((cut for cut in cuts if cut > index), default=count)
        left = max((at for at in labels if shot <= at <= index), default=None)
        right = min((at for at in labels if index <= at < end), default=None)
        status = FrameStatus.GIVEN if index in labels else FrameStatus.GENERATED
        sides = ["" if at is None else f"{at:03d}" for at in (left, right)]
        rows.append(FrameRecord(name, f"{index:03d}", status, *sides, 1.0 if index in labels else 0.5))
    return FinishedVideo(name, rows)


def finished(*videos: FinishedVideo, command: str = "pseudolabel") -> Finished:
    return Finished(OutputLayout(Path("out")), Manifest(command, {}, {}), videos)


def test_the_harder_video_comes_first_and_says_why() -> None:
    run = finished(video("easy", 41, [0, 20, 40]), video("hard", 41, [0, 20, 40]))
    ranking = rank(run, [{20: {1: 0.02}}, {20: {1: 0.4}}], {}, 3)
    first, *rest = ranking.suggestions
    assert (first.video, first.frame, first.left, first.right) == ("hard", "010", "000", "020")
    assert (first.index, first.confidence, first.time, first.object) == (10, 0.5, None, "")
    assert first.reason == "largest expected error"
    assert first.gain is not None
    assert all((each.gain or 0) <= first.gain for each in rest)
    assert not any(each.reason for each in rest[:1])
    assert ranking.hidden == 2
    assert ranking.estimated_j is not None
    assert ranking.estimated_after is not None
    assert ranking.estimated_j < ranking.estimated_after


def test_at_once_by_distance_or_of_predict_by_confidence() -> None:
    run = finished(video("clip", 41, [0, 40]))
    assert rank_at_once(run, 3) == rank_spread(run, 3)
    rows = [FrameRecord("clip", f"{at:03d}", FrameStatus.GENERATED, "", "", 1.0) for at in range(41)]
    rows[7] = replace(rows[7], confidence=0.2)
    (first,) = rank_at_once(finished(FinishedVideo("clip", rows), command="predict"), 1).suggestions
    assert first.index == 7


def test_the_worst_of_several_objects_is_named() -> None:
    run = finished(video("clip", 41, [0, 20, 40]))
    errors = [{20: {1: 0.1, 2: 0.3}}]
    assert [each.object for each in rank(run, errors, {}, 1).suggestions] == ["object 2"]
    names = {"clip": {2: ObjectInfo(2, "ball", "ball")}}
    assert [each.object for each in rank(run, errors, names, 1).suggestions] == ["ball"]


def test_cuts_and_ends_are_reasons() -> None:
    run = finished(video("clip", 60, [10, 30], cuts=[20, 45]))
    found = {each.frame: each.reason for each in rank(run, [{}], {}, 12).suggestions}
    in_third = [reason for frame, reason in found.items() if int(frame) >= 45]
    assert next(iter(found.values())) == in_third[0]
    assert in_third[0] == "largest expected error, no label in its shot, cut at 045"
    before = [reason for frame, reason in found.items() if 10 < int(frame) < 20]
    assert set(before) == {"one label only before it, cut at 020"}
    behind = [reason for frame, reason in found.items() if 20 <= int(frame) < 30]
    assert set(behind) == {"one label only after it, cut at 020"}


def test_predict_is_about_confidence() -> None:
    ranking = rank(finished(video("clip", 40, []), command="predict"), [{}], {}, 2)
    assert [each.reason for each in ranking.suggestions] == ["least confidence around it", ""]
    assert (ranking.hidden, ranking.estimated_j, ranking.estimated_after) == (0, None, None)


def test_spread_knows_the_labels_only() -> None:
    run = finished(video("short", 21, [0, 20]), video("long", 101, [0, 100]))
    ranking = rank_spread(run, 3)
    assert [(each.video, each.frame) for each in ranking.suggestions] == [
        ("long", "050"),
        ("long", "025"),
        ("long", "075"),
    ]
    assert {each.gain for each in ranking.suggestions} == {None}
    assert (ranking.hidden, ranking.estimated_j) == (0, None)
