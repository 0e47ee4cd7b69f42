"""Masks that are black on white."""

from __future__ import annotations

import numpy as np

from vsodtool.ops.inverted import look_inverted
from vsodtool.types import LabelArray


def square(size: int = 8) -> LabelArray:
    labels = np.zeros((20, 30), np.uint16)
    labels[4 : 4 + size, 5 : 5 + size] = 1
    return labels


def test_what_surrounds_the_rest_is_drawn_the_other_way_round() -> None:
    inverted = 1 - square()
    assert look_inverted([inverted, np.zeros_like(inverted), np.ones_like(inverted)])
    assert not look_inverted([inverted, square()])
    assert not look_inverted([np.zeros_like(inverted)])


def test_a_large_object_that_leaves_some_of_the_edge_is_none() -> None:
    labels = np.ones((20, 30), np.uint16)
    labels[:4] = 0
    assert not look_inverted([labels])
