"""Label Studio's packed brushes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from vsodtool.media.annotations.formats.rle_pack import pack_mask, unpack_alpha
from vsodtool.media.annotations.runs import MaskArray

# The ball of the golden scene, as Label Studio's own encoder writes it (`formats/label-studio`).
BALL = [0, 0, 1, 64, 57, 27, 254, 67, 0, 159, 255, 15, 128, 79, 255, 178, 192, 0]


def test_a_known_brush() -> None:
    mask = unpack_alpha(BALL, (8, 10))
    assert np.argwhere(mask).tolist() == [[1, 7], [1, 8], [2, 7], [2, 8]]
    assert pack_mask(mask) == BALL


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=30)))
def test_masks_come_back(mask: MaskArray) -> None:
    np.testing.assert_array_equal(unpack_alpha(pack_mask(mask), (mask.shape[0], mask.shape[1])), mask)


@pytest.mark.parametrize(
    ("packed", "words"),
    [
        (BALL[:8], "found the end"),
        ([], "found the end"),
        ([*BALL[:3], 65, *BALL[4:]], "expected 320 values"),
        ([*BALL[:4], 255, *BALL[5:]], "values of 8 bits"),
        ([300], "bytes of 0 to 255"),
    ],
)
def test_damage_is_refused(packed: list[int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        unpack_alpha(packed, (8, 10))
