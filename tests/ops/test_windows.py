from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.errors import DataError
from vsodtool.ops.windows import Interval, label_intervals


@st.composite
def videos(draw: st.DrawFn) -> tuple[list[int], int]:
    frames = draw(st.integers(1, 60))
    labelled = draw(st.lists(st.integers(0, frames - 1), min_size=1, max_size=frames))
    return labelled, frames


@given(videos())
def test_every_frame_is_either_labelled_or_in_one_interval(video: tuple[list[int], int]) -> None:
    labelled, frames = video
    targets = [index for interval in label_intervals(labelled, frames) for index in interval.targets]
    assert sorted([*targets, *set(labelled)]) == list(range(frames))
    assert targets == sorted(targets)


@given(videos())
def test_the_sides_are_the_nearest_labels(video: tuple[list[int], int]) -> None:
    labelled, frames = video
    for interval in label_intervals(labelled, frames):
        assert interval.targets
        for index in interval.targets:
            assert interval.left == max((i for i in labelled if i < index), default=None)
            assert interval.right == min((i for i in labelled if i > index), default=None)


def test_examples() -> None:
    assert label_intervals([2, 5, 6], 9) == [
        Interval(None, 2, range(2)),
        Interval(2, 5, range(3, 5)),
        Interval(6, None, range(7, 9)),
    ]
    assert label_intervals([3], 4) == [Interval(None, 3, range(3))]
    assert label_intervals(range(4), 4) == []
    assert label_intervals([0], 1) == []


def test_no_label_is_refused() -> None:
    with pytest.raises(DataError, match="no labelled frame"):
        label_intervals([], 3)


@pytest.mark.parametrize("index", [-1, 3])
def test_a_label_outside_the_video_is_refused(index: int) -> None:
    with pytest.raises(DataError, match=f"labelled frame {index} is outside the video: expected 0 to 2"):
        label_intervals([0, index], 3)
