"""Spearman: equal to scipy's, with ties; the undefined cases; refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from vsodtool.errors import DataError
from vsodtool.metrics import spearman


@given(st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=3, max_size=40))
@settings(max_examples=150, deadline=None)
def test_equals_scipy_with_ties(pairs: list[tuple[int, int]]) -> None:
    a, b = np.array(pairs, float).T
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        assert math.isnan(spearman(a, b))
    else:
        assert spearman(a, b) == pytest.approx(scipy.stats.spearmanr(a, b).statistic, abs=1e-12)


def test_equals_scipy_without_ties() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 500))
    assert spearman(a, a + b) == pytest.approx(scipy.stats.spearmanr(a, a + b).statistic, abs=1e-12)


def test_any_rising_function_is_one() -> None:
    a = [0.1, 5.0, 2.0, 3.0]
    assert spearman(a, np.exp(a)) == 1.0
    assert spearman(a, -np.array(a)) == -1.0


def test_is_nan_where_undefined() -> None:
    assert math.isnan(spearman([], []))
    assert math.isnan(spearman([1.0], [2.0]))


def test_refuses_series_of_other_lengths_and_nan() -> None:
    with pytest.raises(DataError, match="one length"):
        spearman([1, 2], [1, 2, 3])
    with pytest.raises(DataError, match="NaN"):
        spearman([1, float("nan")], [1, 2])
