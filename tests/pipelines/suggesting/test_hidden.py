"""Which labels can be hidden. What comes of it: tests/pipelines/test_suggest_output.py."""

from __future__ import annotations

from vsodtool.pipelines.densify.choosing.hidden_labels import HiddenTest
from vsodtool.pipelines.suggesting.finished import FinishedVideo
from vsodtool.pipelines.suggesting.hidden import tests_of as hidden_tests
from vsodtool.types import FrameRecord, FrameStatus


def video(text: str, cut: int = 0) -> FinishedVideo:
    """G is given; nothing is carried across the cut, if there is one."""
    rows = []
    for index, letter in enumerate(text):
        shot = range(cut, len(text)) if index >= cut else range(cut)
        before = [at for at in shot if at <= index and text[at] == "G"]
        after = [at for at in shot if at >= index and text[at] == "G"]
        status = FrameStatus.GIVEN if letter == "G" else FrameStatus.GENERATED
        left, right = str(before[-1]) if before else "", str(after[0]) if after else ""
        rows.append(FrameRecord("clip", str(index), status, left, right, 1.0))
    return FinishedVideo("clip", rows)


def test_labels_between_two_others() -> None:
    assert hidden_tests(video(".G..G..G.G")) == [HiddenTest(1, 4, 7), HiddenTest(4, 7, 9)]
    assert hidden_tests(video("G...G")) == []
    assert hidden_tests(video(".....")) == []


def test_of_one_shot() -> None:
    assert hidden_tests(video(".G..G..G.G..G", cut=6)) == [HiddenTest(7, 9, 12)]
