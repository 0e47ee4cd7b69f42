"""Labels spread over a video: equally, a third of a gap from both ends; and shared out over videos."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.ops.suggesting.reach import reaches
from vsodtool.ops.suggesting.spacing import every, inset, share_out


def test_a_third_of_a_gap_is_left_at_both_ends() -> None:
    assert inset(81, 3) == [10, 40, 70]  # gap 30
    assert inset(101, 2) == [20, 80]  # gap 60
    assert inset(11, 1) == [5]
    assert inset(3, 7) == [0, 1, 2]


@given(st.integers(1, 400), st.integers(1, 60))
def test_inset_labels_are_different_ordered_and_even(frames: int, count: int) -> None:
    found = inset(frames, count)
    assert len(found) == min(frames, count)
    assert found[0] >= 0
    assert found[-1] < frames
    gaps = [after - before for before, after in pairwise(found)]
    assert all(gap > 0 for gap in gaps)
    assert not gaps or max(gaps) - min(gaps) <= 1


@given(st.integers(20, 300), st.integers(2, 12))
def test_inset_labels_leave_less_to_reach_than_labels_with_both_ends(frames: int, count: int) -> None:
    with_ends = [round(place * (frames - 1) / (count - 1)) for place in range(count)]
    assert reaches(inset(frames, count), frames).sum() <= reaches(with_ends, frames).sum() + count


def test_every_begins_a_third_of_a_step_in() -> None:
    assert every(31, 10) == [3, 13, 23]
    assert every(30, 10) == [3, 13, 23]
    assert every(32, 10) == [3, 13, 23, 28]
    assert every(5, 1) == [0, 1, 2, 3, 4]
    assert every(1, 10) == [0]
    assert every(3, 100) == [2]


@given(st.integers(1, 300), st.integers(1, 50))
def test_every_leaves_no_gap_longer_than_the_step(frames: int, step: int) -> None:
    found = every(frames, step)
    assert found == sorted(set(found))
    assert found[0] >= 0
    assert found[-1] < frames
    assert found[0] <= step / 3
    assert frames - 1 - found[-1] <= math.ceil(2 * step / 3)
    assert all(after - before <= step for before, after in pairwise(found))


@pytest.mark.parametrize(
    ("weights", "most", "count", "expected"),
    [
        ([1, 1], [9, 9], 4, [2, 2]),
        ([3, 1], [9, 9], 4, [3, 1]),
        ([1, 2, 3], [9, 9, 9], 2, [0, 1, 1]),  # fewer than videos: the heaviest
        ([0, 5], [9, 9], 3, [1, 2]),
        ([9, 1], [2, 9], 6, [2, 4]),
        ([1, 1], [1, 1], 6, [1, 1]),
        ([], [], 3, []),
    ],
)
def test_shares(weights: list[float], most: list[int], count: int, expected: list[int]) -> None:
    assert share_out(weights, most, count) == expected


@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(1, 20)), max_size=8), st.integers(0, 100))
def test_shares_add_up(videos: list[tuple[float, int]], count: int) -> None:
    weights, most = [weight for weight, _ in videos], [limit for _, limit in videos]
    shares = share_out(weights, most, count)
    assert sum(shares) == min(count, sum(most))
    assert all(0 <= share <= limit for share, limit in zip(shares, most, strict=True))
    assert all(shares) or count < len(videos)
