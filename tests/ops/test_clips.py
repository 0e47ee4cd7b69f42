from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.ops.clips import ClipSchedule, clip_ranges


@st.composite
def lengths_and_strides(draw: st.DrawFn) -> tuple[int, int]:
    length = draw(st.integers(1, 12))
    return length, draw(st.integers(1, length))


@pytest.mark.parametrize(
    ("count", "length", "stride", "expected"),
    [
        (8, 4, 4, [(0, 4), (4, 8)]),
        (9, 4, 4, [(0, 4), (4, 8), (5, 9)]),  # the last one shifted back
        (3, 4, 4, [(0, 3)]),  # a short video
        (4, 4, 1, [(0, 4)]),
        (7, 4, 2, [(0, 4), (2, 6), (3, 7)]),
        (3, 1, 1, [(0, 1), (1, 2), (2, 3)]),
        (0, 4, 4, []),
    ],
)
def test_examples(count: int, length: int, stride: int, expected: list[tuple[int, int]]) -> None:
    assert clip_ranges(count, length, stride) == [range(*bounds) for bounds in expected]


@given(st.integers(0, 60), lengths_and_strides())
def test_every_frame_is_in_a_clip_and_all_clips_are_alike(count: int, given_: tuple[int, int]) -> None:
    length, stride = given_
    clips = clip_ranges(count, length, stride)
    assert sorted({position for clip in clips for position in clip}) == list(range(count))
    assert all(len(clip) == min(length, count) for clip in clips)
    starts = [clip.start for clip in clips]
    assert starts == sorted(set(starts))
    assert starts[:-1] == [number * stride for number in range(len(starts) - 1)]
    assert not clips or clips[-1].stop == count


@given(st.integers(0, 60), lengths_and_strides())
def test_no_clip_is_needed_to_cover_nothing(count: int, given_: tuple[int, int]) -> None:
    clips = clip_ranges(count, *given_)
    assert len(clips) < 2 or clips[-2].stop < count


@given(st.integers(0, 60), lengths_and_strides())
def test_settled_frames_are_in_no_clip_to_come(count: int, given_: tuple[int, int]) -> None:
    """Whatever follows, and neither too careful: some end of the video needs the first frame needed."""
    length, stride = given_
    schedule = ClipSchedule(length, stride)
    for _ in range(count):
        schedule.add()
    needed = schedule.first_needed()
    later = set()
    for total in range(count, count + 3 * length + 1):
        fresh = ClipSchedule(length, stride)
        clips = []
        for seen in range(1, total + 1):
            clip = fresh.add()
            if clip is not None and seen > count:
                clips.append(clip)
        clips += [clip for clip in [fresh.end()] if clip is not None]
        later |= {position for clip in clips for position in clip}
    assert min(later) == needed


@given(lengths_and_strides(), st.integers(1, 60))
def test_a_known_end_needs_no_more_than_an_unknown_one(given_: tuple[int, int], count: int) -> None:
    schedule = ClipSchedule(*given_)
    for _ in range(count):
        schedule.add()
    assert schedule.first_needed(count + 5) >= schedule.first_needed()


@pytest.mark.parametrize(("length", "stride"), [(0, 0), (4, 0), (4, 5), (4, -1)])
def test_strides_that_leave_frames_out(length: int, stride: int) -> None:
    with pytest.raises(ValueError, match="stride"):
        ClipSchedule(length, stride)
