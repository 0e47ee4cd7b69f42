"""S-measure: closed forms, symmetries, and the block without pixels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vsodtool.metrics import score_frame
from vsodtool.metrics.s_measure import centroid_corner


def s(prediction: npt.NDArray[np.uint8], truth: npt.NDArray[np.bool_]) -> float:
    value = score_frame(prediction, truth, measures=("s_measure",), normalize="none").s_measure
    assert value is not None
    return value


def test_the_truth_itself_scores_one() -> None:
    truth = np.zeros((30, 40), bool)
    truth[8:20, 11:30] = True
    assert s(truth.astype(np.uint8) * 255, truth) == pytest.approx(1, abs=1e-12)
    assert s((~truth).astype(np.uint8) * 255, truth) == pytest.approx(0, abs=1e-12)


def test_without_background_or_object_only_the_mean_counts() -> None:
    prediction = np.full((4, 5), 51, np.uint8)
    assert s(prediction, np.zeros((4, 5), bool)) == pytest.approx(0.8)
    assert s(prediction, np.ones((4, 5), bool)) == pytest.approx(0.2)


def test_the_corner_lies_behind_the_rounded_centroid() -> None:
    truth = np.zeros((10, 10), bool)
    truth[2, 3] = True
    assert centroid_corner(truth) == (3, 4)
    truth[3, 6] = True  # centroid (2.5, 4.5): halves go to the even number
    assert centroid_corner(truth) == (3, 5)


def test_a_block_without_pixels_has_no_weight() -> None:
    """The centroid in the last column leaves nothing on the right of it; the reference returns NaN."""
    truth = np.zeros((6, 7), bool)
    truth[2, 6] = True
    assert centroid_corner(truth)[1] == 7
    assert s(truth.astype(np.uint8) * 255, truth) == pytest.approx(1, abs=1e-12)


@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(
        lambda size: st.tuples(hnp.arrays(np.uint8, size), hnp.arrays(bool, size))
    )
)
@settings(max_examples=200)
def test_is_a_score_and_transposing_changes_nothing(
    pair: tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]],
) -> None:
    prediction, truth = pair
    value = s(prediction, truth)
    assert 0 <= value <= 1 + 1e-12
    if len(np.unique(prediction)) > 1:  # the rounding of a mean decides constant blocks, as in the reference
        turned = s(np.ascontiguousarray(prediction.T), np.ascontiguousarray(truth.T))
        if not _has_constant_block(prediction, truth):
            assert turned == pytest.approx(value, abs=1e-9)


def _has_constant_block(prediction: npt.NDArray[np.uint8], truth: npt.NDArray[np.bool_]) -> bool:
    if not truth.any():
        return False
    y, x = centroid_corner(truth)
    blocks = (prediction[:y, :x], prediction[:y, x:], prediction[y:, :x], prediction[y:, x:])
    return any(np.unique(block).size == 1 for block in blocks)
