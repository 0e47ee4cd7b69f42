"""E-measure: against the definition written out pixel by pixel, and closed forms."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vsodtool.metrics.e_measure import e_measure

Mask = npt.NDArray[np.bool_]


def by_counts(pred: Mask, truth: Mask) -> float:
    return float(e_measure((pred & truth).sum(), pred.sum(), int(truth.sum()), truth.size))


@given(
    st.tuples(st.integers(1, 8), st.integers(2, 8)).flatmap(
        lambda size: st.tuples(hnp.arrays(bool, size), hnp.arrays(bool, size))
    )
)
def test_equals_the_definition(masks: tuple[Mask, Mask]) -> None:
    pred, truth = masks
    if truth.all() or not truth.any():
        expected = np.where(truth, pred, ~pred).astype(float)
    else:
        a, b = pred - pred.mean(), truth - truth.mean()
        expected = (2 * a * b / (a * a + b * b + np.spacing(1)) + 1) ** 2 / 4
    assert by_counts(pred, truth) == pytest.approx(expected.sum() / (truth.size - 1), abs=1e-12)


def test_right_is_one_and_wrong_is_zero_up_to_the_divisor() -> None:
    truth = np.zeros((20, 20), bool)
    truth[5:9, 5:9] = True
    assert by_counts(truth, truth) == pytest.approx(400 / 399)
    assert by_counts(~truth, truth) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("truth", [0, 1])
@pytest.mark.parametrize("predicted", [0, 1])
def test_one_pixel_is_right_or_wrong(truth: int, predicted: int) -> None:
    assert float(e_measure(truth * predicted, predicted, truth, 1)) == (truth == predicted)


def test_an_empty_truth_asks_for_nothing() -> None:
    assert float(e_measure(0, 30, 0, 101)) == pytest.approx(71 / 100)
    assert float(e_measure(30, 30, 101, 101)) == pytest.approx(30 / 100)
