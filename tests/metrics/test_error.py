"""Mean absolute error: value and refusals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from vsodtool.errors import DataError
from vsodtool.metrics import mean_absolute_error

TRUTH = np.array([[True, False], [False, False]])


def test_is_the_mean_of_the_differences() -> None:
    pred = np.array([[0.5, 0.25], [0.0, 1.0]], np.float32)
    assert mean_absolute_error(pred, TRUTH) == pytest.approx((0.5 + 0.25 + 0 + 1) / 4)
    assert mean_absolute_error(~TRUTH, TRUTH) == 1.0


@pytest.mark.parametrize(
    ("pred", "found"),
    [
        (np.zeros((2, 2), np.uint8), "uint8"),
        (np.full((2, 2), 255.0), "255"),
        (np.full((2, 2), np.nan), "nan"),
        (np.zeros((2, 3)), r"\(2, 3\)"),
    ],
)
def test_refuses_what_is_no_map_in_0_1(pred: npt.NDArray[np.float64], found: str) -> None:
    with pytest.raises(DataError, match=found):
        mean_absolute_error(pred, TRUTH)


def test_refuses_a_soft_truth() -> None:
    with pytest.raises(DataError, match="truth"):
        mean_absolute_error(np.zeros((2, 2)), np.zeros((2, 2)))  # type: ignore[arg-type]
