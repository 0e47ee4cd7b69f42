"""J and F by object, and pixels that do not count."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from vsodtool.errors import DataError
from vsodtool.metrics import boundary_f, object_scores, region_j


def labels() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    truth = np.zeros((30, 40), np.uint8)
    truth[5:15, 5:15] = 1
    truth[15:25, 20:35] = 2
    pred = truth.copy()
    pred[5:15, 5:10] = 2
    return pred, truth


def test_each_object_is_a_mask_of_its_own() -> None:
    pred, truth = labels()
    scores = object_scores(pred, truth, [1, 2])
    for number, score in scores.items():
        assert score.j == region_j(pred == number, truth == number)
        assert score.f == boundary_f(pred == number, truth == number)
    assert scores[1].j == 50 / 100
    assert scores[2].j == 150 / 200


def test_an_object_that_neither_has_is_right_and_one_that_only_one_has_is_wrong() -> None:
    pred, truth = labels()
    assert object_scores(pred, truth, [3])[3] == (1, 1)
    truth[0:3, 0:3] = 3
    assert object_scores(pred, truth, [3])[3] == (0, 0)


def test_void_pixels_belong_to_neither_mask() -> None:
    pred, truth = labels()
    void = np.zeros(truth.shape, bool)
    void[5:15, 5:10] = True
    scores = object_scores(pred, truth, [1, 2], void=void)
    assert scores[1] == (1, 1)
    assert scores[2] == (1, 1)
    a, b = pred == 1, truth == 1
    assert region_j(a, b, void) == region_j(a & ~void, b & ~void)
    assert boundary_f(a, b, 0.02, void) == boundary_f(a & ~void, b & ~void, 0.02)


def test_a_frame_of_void_is_right() -> None:
    mask = np.eye(5, dtype=bool)
    assert region_j(mask, ~mask, np.ones((5, 5), bool)) == 1
    assert boundary_f(mask, ~mask, void=np.ones((5, 5), bool)) == 1


@pytest.mark.parametrize("void", [np.zeros((5, 4), bool), np.zeros((5, 5), np.uint8)])
def test_refuses_a_void_that_does_not_fit(void: npt.NDArray[Any]) -> None:
    mask = np.eye(5, dtype=bool)
    with pytest.raises(DataError, match="void: expected a bool mask"):
        region_j(mask, mask, void)
    with pytest.raises(DataError, match="void: expected a bool mask"):
        boundary_f(mask, mask, void=void)


def test_refuses_what_are_no_labels() -> None:
    pred, truth = labels()
    with pytest.raises(DataError, match="pred: expected object numbers, found float64"):
        object_scores(pred / 2, truth, [1])
    with pytest.raises(DataError, match="numbers from 1, found 0"):
        object_scores(pred, truth, [0])
    with pytest.raises(DataError, match=r"\(30, 40\)"):
        object_scores(pred, truth.T, [1])
