"""Shots partition the frames of a video."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vsodtool.ops.shots.shots import ONE_SHOT, Shots


@given(st.integers(1, 40), st.sets(st.integers(1, 39)))
def test_every_frame_is_in_one_shot(count: int, cuts: set[int]) -> None:
    shots = Shots(tuple(sorted(cut for cut in cuts if cut < count)))
    split = shots.split(count)
    assert [index for shot in split for index in shot] == list(range(count))
    assert [shot.start for shot in split[1:]] == list(shots.cuts)
    for index in range(count):
        assert index in split[shots.of(index)]
        assert shots.around(index, count) == split[shots.of(index)]


def test_a_video_without_cuts_is_one_shot() -> None:
    assert ONE_SHOT.split(5) == [range(5)]
    assert ONE_SHOT.of(4) == 0
