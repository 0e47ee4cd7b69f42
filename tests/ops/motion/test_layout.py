from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vsodtool.ops.motion.layout import CHANNELS, MAPS, OFFSETS, REACH, looks


def test_there_are_channels_for_every_offset() -> None:
    assert len(OFFSETS) * MAPS == CHANNELS
    assert sorted(OFFSETS) == sorted(-offset for offset in OFFSETS)  # the same backwards


def test_inside_a_video_the_neighbours_are_those_of_the_offsets() -> None:
    found = looks(10, 0, 20)
    assert [look.neighbour for look in found] == [10 + offset for offset in OFFSETS]
    assert [look.sign for look in found] == [-1 if offset < 0 else 1 for offset in OFFSETS]


def test_at_the_first_frame_the_missing_side_is_taken_from_the_other() -> None:
    assert looks(0, 0, 9) == ((3, 1), (1, 1), (1, 1), (3, 1))
    assert looks(9, 0, 9) == ((6, -1), (8, -1), (8, -1), (6, -1))
    assert looks(1, 0, 2) == ((0, -1), (0, -1), (2, 1), (2, 1))


def test_a_single_frame_has_no_neighbours() -> None:
    assert all(look.neighbour is None for look in looks(4, 4, 4))


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 40))
def test_neighbours_exist_and_are_near(before: int, first: int, after: int) -> None:
    position, last = first + before, first + before + after
    for look in looks(position, first, last):
        assert look.neighbour is not None
        assert first <= look.neighbour <= last
        assert 0 < abs(look.neighbour - position) <= REACH
        assert look.sign == (1 if look.neighbour > position else -1)
    # What lies beyond the reach makes no difference: a stream need not know it.
    assert looks(position, max(first, position - REACH), min(last, position + REACH)) == looks(
        position, first, last
    )
