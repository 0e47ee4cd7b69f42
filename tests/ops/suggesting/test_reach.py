"""Reach: the variance of a bridge between two labels, the distance beside one, and no way across a cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.ops.suggesting.reach import Stretch, reach, reaches, stretches

FRAMES = 40
INDICES = st.sets(st.integers(0, FRAMES - 1))


def test_reach_is_the_variance_of_a_bridge() -> None:
    assert reach(1, 1) == 0.5
    assert reach(10, 10) == 5
    assert reach(3, 6) == reach(6, 3) == 2
    assert reach(1, 10**6) == pytest.approx(1, abs=1e-5)


def test_frames_between_beside_and_without_labels() -> None:
    assert reaches([2, 6], 9).tolist() == [2, 1, 0, 0.75, 1, 0.75, 0, 1, 2]
    assert reaches([], 3).tolist() == [3, 3, 3]
    assert reaches([], 0).tolist() == []


def test_nothing_crosses_a_cut() -> None:
    # Labels 1 and 6, a cut before 4: each side has the distance to its own label.
    assert reaches([1, 6], 8, [4]).tolist() == [1, 0, 1, 2, 2, 1, 0, 1]
    # A label that is the first of a shot carries nothing back.
    assert reaches([4], 6, [4]).tolist() == [4, 4, 4, 4, 0, 1]
    assert stretches([4], 6, [4]) == [Stretch(0, 4, False, False), Stretch(5, 6, True, False)]


@given(INDICES, st.sets(st.integers(1, FRAMES - 1)))
def test_the_stretches_are_all_frames_without_a_label(labels: set[int], cuts: set[int]) -> None:
    found = stretches(sorted(labels), FRAMES, sorted(cuts))
    frames = [frame for run in found for frame in range(run.start, run.stop)]
    assert frames == [frame for frame in range(FRAMES) if frame not in labels]
    assert not any(run.start < cut < run.stop for run in found for cut in cuts)
    for run in found:
        assert run.before == (run.start - 1 in labels and run.start not in cuts)
        assert run.after == (run.stop in labels and run.stop not in cuts)


@given(INDICES, st.sets(st.integers(1, FRAMES - 1)), st.integers(0, FRAMES - 1))
def test_a_label_more_takes_no_frame_farther_away(labels: set[int], cuts: set[int], more: int) -> None:
    before = reaches(sorted(labels), FRAMES, sorted(cuts))
    after = reaches(sorted(labels | {more}), FRAMES, sorted(cuts))
    assert np.all(after <= before + 1e-12)
    assert (before > 0).tolist() == [frame not in labels for frame in range(FRAMES)]
