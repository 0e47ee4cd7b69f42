"""What a measure refuses."""

from __future__ import annotations

import numpy as np
import pytest

from vsodtool.errors import DataError
from vsodtool.metrics.arguments import require_mask_pair, require_same_size, without_void

MASK = np.zeros((2, 3), np.bool_)


def test_a_pair_of_masks_of_one_size_is_accepted() -> None:
    require_mask_pair(MASK, MASK)


def test_a_map_is_no_mask() -> None:
    with pytest.raises(DataError, match="truth: expected a bool mask, found float64") as refusal:
        require_mask_pair(MASK, MASK.astype(np.float64))
    assert "binarise" in refusal.value.hint


@pytest.mark.parametrize("shape", [(3, 2), (2, 3, 1), (0, 3)])
def test_other_sizes_are_refused_with_both(shape: tuple[int, ...]) -> None:
    other = np.zeros(shape)
    with pytest.raises(DataError, match="expected two maps of one size"):
        require_same_size(other, np.zeros((2, 3)) if other.size else other)


def test_void_pixels_count_in_neither_mask() -> None:
    pred, truth = ~MASK, ~MASK
    void = MASK.copy()
    void[0, 1] = True
    left = without_void(pred, truth, void)
    assert [each.tolist() for each in left] == [[[True, False, True], [True, True, True]]] * 2
    assert without_void(pred, truth, None)[0] is pred


def test_a_void_of_another_size_or_type_is_refused() -> None:
    with pytest.raises(DataError, match="void: expected a bool mask"):
        without_void(MASK, MASK, np.zeros((2, 3), np.uint8))
