"""Outlines: the chains of OpenCV, and connected parts of scipy."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import label

from vsodtool.metrics.contours import contours

Mask = npt.NDArray[np.bool_]


def opencv(mask: Mask) -> list[list[tuple[int, int]]]:
    chains, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_TREE, cv2.CHAIN_APPROX_NONE)
    return [[(int(y), int(x)) for x, y in chain[:, 0]] for chain in chains]


def check(mask: Mask) -> None:
    found = contours(mask)
    assert sorted(c.points for c in found) == sorted(opencv(mask))
    labels, parts = label(mask, np.ones((3, 3)))
    assert {c.part for c in found} == set(range(parts))
    assert sum(not c.hole for c in found) == parts
    numbers: dict[int, set[int]] = {}
    for contour in found:
        numbers.setdefault(contour.part, set()).update(int(labels[point]) for point in contour.points)
    assert all(len(n) == 1 for n in numbers.values())
    order = {tuple(chain): place for place, chain in enumerate(opencv(mask))}
    for part in numbers:
        mine = [c for c in found if c.part == part]
        places = [order[tuple(c.points)] for c in [mine[0], *reversed(mine[1:])]]
        assert places == sorted(places)  # outside first, holes from the last to the first


@given(hnp.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
@settings(max_examples=300, deadline=None)
def test_equals_opencv_on_any_small_mask(mask: Mask) -> None:
    check(mask)


def test_equals_opencv_on_blobs_with_holes() -> None:
    rng = np.random.default_rng(4)
    for sigma in (0.7, 1.5, 3.0):
        for _ in range(10):
            noise = cv2.GaussianBlur(rng.random((50, 60)), (0, 0), sigma)
            check(np.asarray(noise > np.median(noise)))


def test_a_ring_has_an_outside_and_a_hole() -> None:
    mask = np.ones((3, 3), bool)
    mask[1, 1] = False
    outside, hole = contours(mask)
    assert not outside.hole
    assert outside.points[0] == (0, 0)
    assert len(outside.points) == 8
    assert hole.hole
    assert set(hole.points) == {(0, 1), (1, 0), (1, 2), (2, 1)}


def test_an_empty_mask_has_no_outline() -> None:
    assert contours(np.zeros((4, 5), bool)) == []
