"""Predictions as levels: what the values become, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vsodtool.errors import DataError
from vsodtool.metrics.levels import as_levels

MAPS = st.sampled_from([np.uint8, np.uint16]).flatmap(
    lambda kind: hnp.arrays(kind, st.tuples(st.integers(1, 6), st.integers(1, 6)))
)


@given(MAPS)
def test_the_stretch_is_that_of_the_benchmarks_bit_for_bit(prediction: npt.NDArray[Any]) -> None:
    divided = prediction / 255
    if divided.max() == divided.min():
        expected = prediction / np.iinfo(prediction.dtype).max
    else:
        expected = (divided - divided.min()) / (divided.max() - divided.min())
    levels = as_levels(prediction)
    assert np.array_equal(levels.image(), expected)
    assert np.array_equal(levels.bins.take(levels.index), (expected * 255).astype(np.uint8))
    assert (np.diff(levels.values) >= 0).all()


@given(MAPS)
def test_without_the_stretch_a_map_keeps_its_values(prediction: npt.NDArray[Any]) -> None:
    top = np.iinfo(prediction.dtype).max
    assert np.array_equal(as_levels(prediction, "none").image(), prediction / top)
    assert np.array_equal(as_levels(prediction / top, "none").image(), prediction / top)


def test_8_bit_values_are_their_own_bins() -> None:
    levels = as_levels(np.arange(256, dtype=np.uint8)[None], "none")
    assert np.array_equal(levels.bins, np.arange(256))


def test_a_bool_mask_is_black_and_white() -> None:
    mask = np.eye(3, dtype=bool)
    assert np.array_equal(as_levels(mask).image(), mask)
    assert np.array_equal(as_levels(np.ones((2, 2), bool)).image(), np.ones((2, 2)))


def test_a_prediction_is_never_changed() -> None:
    prediction = np.array([[3, 9], [200, 7]], np.uint8)
    before = prediction.copy()
    as_levels(prediction)
    assert np.array_equal(prediction, before)


@pytest.mark.parametrize(
    ("prediction", "message"),
    [
        (np.zeros((2, 2, 3), np.uint8), r"\(2, 2, 3\)"),
        (np.zeros((0, 4), np.uint8), r"\(0, 4\)"),
        (np.zeros((2, 2), np.int32), "int32"),
        (np.array([[0.0, 1.5]]), r"\[0, 1.5\]"),
        (np.array([[-0.1, 1.0]]), r"\[-0.1, 1\]"),
        (np.array([[0.2, np.nan]]), "nan"),
    ],
)
def test_refuses_what_is_no_map(prediction: npt.NDArray[Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        as_levels(prediction)


def test_refuses_an_unknown_normalization() -> None:
    with pytest.raises(DataError, match="min-max or none, found max"):
        as_levels(np.zeros((2, 2), np.uint8), "max")  # type: ignore[arg-type]
