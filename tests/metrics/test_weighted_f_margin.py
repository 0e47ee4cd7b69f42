"""The margin of the object: the nearest object pixel, ties included, is the one that scipy names."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import distance_transform_cdt, distance_transform_edt

from vsodtool.metrics.weighted_f import fill_margin

Mask = npt.NDArray[np.bool_]


def expected(values: npt.NDArray[np.float64], mask: Mask, radius: int) -> npt.NDArray[np.float64]:
    nearest = distance_transform_edt(~mask, return_distances=False, return_indices=True)
    close = distance_transform_cdt(~mask, "chessboard") <= radius
    return np.pad(np.where(close, values[tuple(nearest)], 0), radius)


def check(mask: Mask, radius: int) -> None:
    values = np.where(mask, np.arange(1.0, mask.size + 1).reshape(mask.shape), 0)  # no two alike
    assert np.array_equal(fill_margin(values, mask, radius), expected(values, mask, radius))


@given(hnp.arrays(bool, st.tuples(st.integers(1, 16), st.integers(1, 16))), st.integers(1, 4), st.data())
@settings(max_examples=200, deadline=None)
def test_equals_scipy_on_any_small_mask(mask: Mask, radius: int, data: st.DataObject) -> None:
    mask[data.draw(st.integers(0, mask.shape[0] - 1)), data.draw(st.integers(0, mask.shape[1] - 1))] = True
    check(mask, radius)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2, 0.6])
def test_equals_scipy_on_scattered_pixels(share: float) -> None:
    """Scattered pixels have ties everywhere."""
    rng = np.random.default_rng(3)
    for _ in range(10):
        mask = rng.random((60, 70)) < share
        mask[30, 30] = True
        check(mask, 3)
