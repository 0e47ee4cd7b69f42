"""The distance transform: against scipy's, and beyond its limit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import distance_transform_edt

from vsodtool.metrics.distance import LIMIT, squared_distance

Mask = npt.NDArray[np.bool_]


def expected(mask: Mask) -> npt.NDArray[np.int64]:
    squared = np.rint(distance_transform_edt(~mask) ** 2).astype(np.int64)
    return np.minimum(squared, LIMIT**2)


@given(hnp.arrays(bool, st.tuples(st.integers(1, 30), st.integers(1, 30))), st.data())
@settings(max_examples=150, deadline=None)
def test_equals_scipy_on_any_small_mask(mask: Mask, data: st.DataObject) -> None:
    mask[data.draw(st.integers(0, mask.shape[0] - 1)), data.draw(st.integers(0, mask.shape[1] - 1))] = True
    assert np.array_equal(squared_distance(mask), expected(mask))


@pytest.mark.parametrize("seed", range(6))
def test_equals_scipy_on_sparse_masks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = np.zeros((327, 300), bool)
    mask[rng.integers(0, mask.shape[0], 4), rng.integers(0, 300, 4)] = True
    assert np.array_equal(squared_distance(mask), expected(mask))


@pytest.mark.parametrize("size", [(1, 2 * LIMIT + 9), (2 * LIMIT + 9, 1), (LIMIT + 20, LIMIT + 20)])
@pytest.mark.parametrize("place", [0, -1])
def test_stays_at_the_limit_beyond_it(size: tuple[int, int], place: int) -> None:
    mask = np.zeros(size, bool)
    mask[place, place] = True
    found = squared_distance(mask)
    assert np.array_equal(found, expected(mask))
    assert found.max() == LIMIT**2
