"""COCO's ways to store an area, as every format that has them reads and writes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vsodtool.errors import DataError
from vsodtool.media.annotations.formats.coco_areas import (
    bounding_box,
    compressed_counts,
    counts_mask,
    encode_rle,
    read_box,
    read_rings,
    rle_mask,
)
from vsodtool.media.annotations.json_tree import Tree

MASK = np.zeros((3, 4), bool)
MASK[1:, 1:3] = True
SIZE = (3, 4)


def tree(value: Any) -> Tree:
    return Tree(value, "file", "entry")


@pytest.mark.parametrize("mask", [MASK, ~MASK, np.zeros(SIZE, bool), np.ones(SIZE, bool)])
def test_codes_come_back(mask: Any) -> None:
    text = compressed_counts(mask)
    assert np.array_equal(rle_mask(tree(encode_rle(mask)), SIZE)(SIZE), mask)
    assert np.array_equal(rle_mask(tree({"size": [3, 4], "counts": text}), None)(SIZE), mask)
    assert np.array_equal(counts_mask(text, SIZE, "line 1", "mend it")(SIZE), mask)


def test_runs_go_down_the_columns() -> None:
    assert encode_rle(MASK) == {"size": [3, 4], "counts": [4, 2, 1, 2, 3]}
    assert bounding_box(MASK) == [1, 1, 2, 2]
    assert bounding_box(np.zeros(SIZE, bool)) == [0, 0, 0, 0]


def test_boxes_and_rings() -> None:
    assert np.array_equal(read_box(tree([1, 1, 2, 2]), "box")(SIZE), MASK)
    assert read_rings(tree([0, 0, 1, 0, 1, 1])) == [[0, 0, 1, 0, 1, 1]]
    assert read_rings(tree([[0, 0], [1, 1]])) == [[0, 0], [1, 1]]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ({"size": [3, 4, 1], "counts": []}, r"entry.size: expected \[height, width\]"),
        ({"size": [4, 3], "counts": []}, r"like its image \(width and height are swapped\)"),
        ({"size": [3, 4], "counts": {}}, r"entry\.counts: expected a text or a list of runs"),
    ],
)
def test_codes_that_are_none_are_refused_at_once(code: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        rle_mask(tree(code), SIZE)


def test_damage_within_a_code_is_told_when_it_is_drawn() -> None:
    with pytest.raises(DataError, match=r"entry\.counts: expected runs of 12 pixels") as caught:
        rle_mask(tree({"size": [3, 4], "counts": [5]}), SIZE)(SIZE)
    assert "CVAT" in caught.value.hint
    with pytest.raises(DataError, match="line 1: expected characters") as caught:
        counts_mask("~", SIZE, "line 1", "mend it")(SIZE)
    assert caught.value.hint == "mend it"


def test_a_box_of_three_numbers_is_none() -> None:
    with pytest.raises(DataError, match=r"expected four numbers \[x, y, w, h\], found \[1, 2, 3\]"):
        read_box(tree([1, 2, 3]), "box")
