"""Which labels are hidden: as near to the real intervals as the labels allow, spread, and not too many."""

from __future__ import annotations

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.ops.suggesting.reach import reach
from vsodtool.pipelines.densify.choosing.hidden_labels import (
    ALIKE,
    LEAST,
    MOST,
    SHARE,
    misfit,
    select_hidden,
    typical_reach,
)


def test_too_easy_is_worse_than_too_hard() -> None:
    assert misfit(3, 3) == 0
    assert misfit(6, 3) == pytest.approx(log(2))
    assert misfit(3, 6) == pytest.approx(2 * log(2))


@pytest.mark.parametrize(
    ("labels", "frames", "expected"),
    [
        ([0, 4], 5, 0.75),  # 3/4, 1, 3/4
        ([0], 4, 2.0),  # one side: the distances 1, 2, 3
        ([3], 4, 2.0),
        ([1, 3], 6, 1.0),  # 1; 1/2; 1, 2
        ([0, 1, 2], 3, 0.0),
    ],
)
def test_typical_reach(labels: list[int], frames: int, expected: float) -> None:
    assert typical_reach(labels, frames) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("labels", "frames", "expected"),
    [
        ([0, 10], 11, []),
        ([0, 1, 2], 3, []),  # nothing to fill
        ([0, 10, 20], 21, [1]),
        ([0, 10, 20, 30], 31, [1, 2]),
        ([0, 20, 40, 60, 80], 81, [1, 3]),  # more than two would cost more than a quarter of the video
        (list(range(0, 81, 5)), 81, [4, 12]),
        (list(range(0, 1001, 10)), 1001, [13, 38, 62, 87]),
        ([0, 1, 2, 3, 13, 23, 33], 34, [4, 5]),  # the others would be too easy
        ([0, 1, 2, 3, 13, 23, 33, 133], 134, [6]),  # here all but one are
    ],
)
def test_chosen_labels(labels: list[int], frames: int, expected: list[int]) -> None:
    assert select_hidden(labels, frames)[0] == expected


@pytest.mark.parametrize(
    ("labels", "frames", "expected"),
    [
        ([0, 10, 20], 21, []),
        ([0, 20, 40, 60, 80], 81, [2]),
        (list(range(0, 81, 5)), 81, [2, 6, 10, 14]),  # 4 and 12 are hidden first
        (list(range(0, 1001, 10)), 1001, []),  # as many as there may be are hidden first
    ],
)
def test_labels_that_are_chosen_in_doubt(labels: list[int], frames: int, expected: list[int]) -> None:
    assert select_hidden(labels, frames)[1] == expected


def test_labels_that_would_tell_nothing_are_passed_over() -> None:
    labels = list(range(0, 1001, 10))
    chosen, _ = select_hidden(labels, 1001, lambda position: position % 20 == 7)
    assert chosen == [7, 47, 67, 87]
    assert select_hidden(labels, 1001, lambda position: position in (3, 4)) == ([3, 4], [])
    assert select_hidden(labels, 1001, lambda position: False) == ([], [])


labelled = st.integers(3, 300).flatmap(
    lambda frames: st.tuples(
        st.just(frames),
        st.sets(st.integers(0, frames - 1), min_size=1, max_size=40).map(sorted),
    )
)


@given(labelled, st.integers(1, 4))
def test_of_any_labels(video: tuple[int, list[int]], sieve: int) -> None:
    frames, labels = video
    chosen, more = select_hidden(labels, frames, lambda position: position % sieve == 0)
    assert (chosen, more) == (sorted(set(chosen)), sorted(set(more) - set(chosen)))
    assert max(len(chosen), len(more)) <= MOST
    both = [*chosen, *more]
    assert all(0 < position < len(labels) - 1 and position % sieve == 0 for position in both)
    walked = sum(labels[position + 1] - labels[position - 1] for position in chosen)
    assert len(chosen) <= LEAST or walked <= SHARE * frames
    if len(labels) < 3 or len(labels) == frames:
        assert both == []
        return
    wanted = typical_reach(labels, frames)
    misfits = [
        misfit(reach(here - before, after - here), wanted)
        for before, here, after in zip(labels, labels[1:], labels[2:], strict=False)
    ]
    assert all(misfits[position - 1] <= min(misfits) + log(ALIKE) + 1e-9 for position in both)
    if sieve == 1:
        assert chosen


@given(labelled)
def test_the_typical_frame_is_one_of_the_video(video: tuple[int, list[int]]) -> None:
    frames, labels = video
    found = []
    for frame in set(range(frames)) - set(labels):
        before = [frame - label for label in labels if label < frame]
        after = [label - frame for label in labels if label > frame]
        found.append(reach(min(before), min(after)) if before and after else float(min(before or after)))
    found.sort()
    if found:
        middle = (found[(len(found) - 1) // 2] + found[len(found) // 2]) / 2
        assert typical_reach(labels, frames) == pytest.approx(middle)
    else:
        assert typical_reach(labels, frames) == 0
