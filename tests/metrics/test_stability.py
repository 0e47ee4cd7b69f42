"""Temporal stability: motion and standing errors are free, flicker costs its area."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp

from vsodtool.errors import DataError
from vsodtool.metrics import temporal_stability

Mask = npt.NDArray[np.bool_]
MASK = hnp.arrays(bool, (4, 5))


def square(left: int) -> Mask:
    mask = np.zeros((20, 40), bool)
    mask[5:15, left : left + 10] = True
    return mask


def test_following_the_truth_is_stable() -> None:
    assert temporal_stability(square(3), square(9), square(3), square(9)) == 1


def test_an_error_that_stays_is_stable() -> None:
    assert temporal_stability(square(3), square(3), square(20), square(20)) == 1


def test_an_error_that_appears_costs_its_share() -> None:
    truth = square(3)
    after = truth.copy()
    after[5:15, 30:35] = True  # 50 pixels, beside 100 of the object
    assert temporal_stability(truth, after, truth, truth) == pytest.approx(1 - 50 / 150)
    assert temporal_stability(after, truth, truth, truth) == pytest.approx(1 - 50 / 150)


def test_an_object_that_is_lost_and_found_is_not_stable() -> None:
    assert temporal_stability(square(3), np.zeros((20, 40), bool), square(3), square(3)) == 0


def test_nothing_predicted_is_not_measured() -> None:
    nothing = np.zeros((20, 40), bool)
    assert temporal_stability(nothing, nothing, square(3), square(4)) is None


@given(MASK, MASK, MASK, MASK)
def test_is_a_score_and_time_has_no_direction(a: Mask, b: Mask, c: Mask, d: Mask) -> None:
    value = temporal_stability(a, b, c, d)
    assert value == temporal_stability(b, a, d, c)
    if value is None:
        assert not (a | b).any()
    else:
        assert 0 <= value <= 1
        assert temporal_stability(a, b, a, b) == 1


def test_refuses_masks_that_do_not_fit() -> None:
    with pytest.raises(DataError, match="expected two maps of one size"):
        temporal_stability(square(1), square(2), square(1), square(2).T)
