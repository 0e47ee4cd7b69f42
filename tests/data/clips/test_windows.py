from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from vsodtool.data.clips.windows import count_clips, draw_window, fixed_window, widest_gap

FRAMES = st.integers(1, 200)
LENGTH = st.integers(1, 12)
CHANCE = st.floats(0, 1, exclude_max=True)


@given(FRAMES, LENGTH, st.data())
def test_a_training_clip_is_consecutive_or_runs_to_and_fro(
    frames: int, length: int, data: st.DataObject
) -> None:
    clip = data.draw(st.integers(0, count_clips(frames, length) - 1))
    places = draw_window(frames, length, clip, data.draw(CHANCE))
    assert len(places) == length
    assert all(0 <= place < frames for place in places)
    steps = {after - before for before, after in pairwise(places)}
    assert steps <= ({1} if frames >= length else {1, -1} if frames > 1 else {0})


@given(FRAMES, LENGTH)
def test_every_start_can_be_drawn(frames: int, length: int) -> None:
    clips = count_clips(frames, length)
    fine = [place / 64 / length for place in range(64 * length)]
    starts = {draw_window(frames, length, clip, chance)[0] for clip in range(clips) for chance in fine}
    assert starts == set(range(max(frames - length + 1, 1)))


@given(FRAMES, LENGTH, st.integers(1, 9), st.data())
def test_frames_of_a_clip_are_evenly_spaced(
    frames: int, length: int, wanted: int, data: st.DataObject
) -> None:
    gap = widest_gap(frames, length, wanted)
    assert 1 <= gap <= wanted
    clip = data.draw(st.integers(0, count_clips(frames, length) - 1))
    places = draw_window(frames, length, clip, data.draw(CHANCE), gap)
    assert len(places) == length
    assert all(0 <= place < frames for place in places)
    if frames >= length:
        assert {after - before for before, after in pairwise(places)} <= {gap}


def test_the_widest_gap_just_fits() -> None:
    assert widest_gap(10, 4, 5) == 3
    assert draw_window(10, 4, 0, 0.5, 3) == [0, 3, 6, 9]
    assert widest_gap(9, 4, 5) == 2
    assert widest_gap(3, 4, 5) == 1


@given(FRAMES, LENGTH)
def test_validation_clips_hold_every_frame_and_little_twice(frames: int, length: int) -> None:
    clips = [fixed_window(frames, length, clip) for clip in range(count_clips(frames, length))]
    assert {place for clip in clips for place in clip} == set(range(frames))
    assert sum(map(len, clips)) < frames + length
    assert all(len(clip) == length for clip in clips)


def test_a_short_video_runs_to_and_fro() -> None:
    assert fixed_window(3, 8, 0) == [0, 1, 2, 1, 0, 1, 2, 1]
    assert draw_window(1, 4, 0, 0.9) == [0, 0, 0, 0]
