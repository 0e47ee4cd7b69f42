"""Run-length codes, against pycocotools and against themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco

from vsodtool.media.annotations.runs import (
    MaskArray,
    decode_counts,
    decode_runs,
    encode_runs,
    transposed,
)

MASKS = arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=20))


@given(MASKS)
def test_compressed_counts_are_those_of_pycocotools(mask: MaskArray) -> None:
    expected = coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode("ascii")
    runs = encode_runs(mask, "columns")
    assert decode_counts(expected) == runs


@given(MASKS)
def test_transposed_is_the_transpose_in_memory(mask: MaskArray) -> None:
    np.testing.assert_array_equal(transposed(mask), mask.T)
    assert transposed(mask).flags.c_contiguous


def compress(runs: list[int]) -> str:
    """COCO's compressed string, by its definition (`rleToString` of cocoapi)."""
    text = []
    for index, run in enumerate(runs):
        value = run - (runs[index - 2] if index > 2 else 0)
        more = True
        while more:
            group = value & 0x1F
            value >>= 5
            more = value != (-1 if group & 0x10 else 0)
            text.append(chr(48 + group + (0x20 if more else 0)))
    return "".join(text)


@pytest.mark.parametrize("order", ["rows", "columns"])
@given(mask=MASKS)
def test_runs_give_the_mask_back(order: str, mask: MaskArray) -> None:
    height, width = mask.shape
    runs = encode_runs(mask, order)  # type: ignore[arg-type]
    assert runs[0] == 0 or not mask[0, 0]
    np.testing.assert_array_equal(decode_runs(runs, (height, width), order), mask)  # type: ignore[arg-type]


@given(st.lists(st.integers(-(2**40), 2**40)))
def test_any_numbers_survive_compression(runs: list[int]) -> None:
    assert decode_counts(compress(runs)) == runs


@pytest.mark.parametrize(
    ("runs", "words"), [([1, -2, 5], "at least 0"), ([3], "4 pixels.*found 3"), ([2**62, 2**62], "found")]
)
def test_runs_that_do_not_fit_are_refused(runs: list[int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        decode_runs(runs, (2, 2), "rows")


@pytest.mark.parametrize(
    ("text", "words"),
    [("~", "found '~' at 0"), ("9\x7f", "at 1"), ("P", "an end within"), ("o" * 20, "longer")],
)
def test_damaged_counts_are_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        decode_counts(text)
