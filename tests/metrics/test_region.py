"""Region J: definition, the empty cases, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from vsodtool.errors import DataError
from vsodtool.metrics import region_j


def test_counts_intersection_over_union() -> None:
    pred, truth = np.zeros((4, 5), bool), np.zeros((4, 5), bool)
    pred[0, :4] = True
    truth[0, 2:] = True
    assert region_j(pred, truth) == 2 / 5


def test_two_empty_masks_agree() -> None:
    empty = np.zeros((3, 3), bool)
    assert region_j(empty, empty) == 1.0
    assert region_j(empty, ~empty) == 0.0


def test_refuses_other_sizes() -> None:
    with pytest.raises(DataError, match=r"\(3, 3\).*\(3, 4\)"):
        region_j(np.zeros((3, 3), bool), np.zeros((3, 4), bool))


def test_refuses_masks_that_are_not_bool() -> None:
    with pytest.raises(DataError, match="truth: expected a bool mask, found uint8"):
        region_j(np.zeros((3, 3), bool), np.zeros((3, 3), np.uint8))  # type: ignore[arg-type]


def test_refuses_masks_without_pixels() -> None:
    with pytest.raises(DataError, match=r"\(0, 3\)"):
        region_j(np.zeros((0, 3), bool), np.zeros((0, 3), bool))
