"""Areas with known pixels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.errors import DataError
from vsodtool.media.annotations.shapes import (
    box_ring,
    coco_polygon,
    cut_out,
    ellipse_ring,
    full_mask,
    mask_in_box,
    of_size,
    picture_polygon,
    pil_box,
    pil_ellipse,
    pil_polygon,
)

SIZE = (8, 10)


@given(st.integers(-6, 12), st.integers(-6, 10), st.integers(1, 5), st.integers(1, 5))
def test_what_sticks_out_of_the_frame_is_cut_off(left: int, top: int, width: int, height: int) -> None:
    drawn = mask_in_box(np.ones((height, width), bool), left, top)(SIZE)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    inside = (x >= left) & (x < left + width) & (y >= top) & (y < top + height)
    np.testing.assert_array_equal(drawn, inside)


@given(st.integers(0, 9), st.integers(0, 7), st.integers(0, 9), st.integers(0, 7))
def test_what_is_cut_out_goes_back_where_it_was(x0: int, y0: int, x1: int, y1: int) -> None:
    mask = np.zeros(SIZE, bool)
    mask[y0, x0] = mask[y1, x1] = True
    box, left, top = cut_out(mask)
    assert (left, top, box.shape) == (min(x0, x1), min(y0, y1), (abs(y1 - y0) + 1, abs(x1 - x0) + 1))
    np.testing.assert_array_equal(mask_in_box(box, left, top)(SIZE), mask)


@pytest.mark.parametrize(
    ("draw", "count"),
    [
        (coco_polygon([box_ring(1, 1, 6, 6)], ""), 25),  # edges of pixels
        (pil_box((1, 1, 6, 6), ""), 36),  # centres of pixels: both corners belong to it
        (pil_polygon((1, 1, 6, 1, 6, 6, 1, 6), ""), 36),
        (coco_polygon([box_ring(1, 1, 3, 3), box_ring(2, 2, 4, 4)], ""), 7),  # parts are joined, not even-odd
        (coco_polygon([box_ring(3, 1, 5, 7, 90)], ""), 12),  # 2x6 on its side is 6x2
    ],
)
def test_squares_by_the_rule_of_their_tool(draw: object, count: int) -> None:
    assert np.count_nonzero(draw(SIZE)) == count  # type: ignore[operator]


def test_a_ring_that_crosses_itself_is_even_odd() -> None:
    """Twice around the same square is nothing, where a rule of winding numbers would fill it."""
    square = [1, 1, 5, 1, 5, 5, 1, 5]
    once = coco_polygon([square], "")(SIZE)
    bow = coco_polygon([[1, 1, 7, 7, 7, 1, 1, 7]], "")(SIZE)
    assert np.count_nonzero(once) == 16
    assert not bow[1:3, 4].any()  # above and below the crossing is outside
    assert bow[4, 1]
    assert bow[4, 6]


def test_areas_of_circles() -> None:
    """Pi r^2, where the outline belongs to it half a pixel further out."""
    size, centre = (60, 60), (30.0, 30.0)
    drawn = np.count_nonzero(coco_polygon([ellipse_ring(centre, (20.4, 20.4))], "")(size))
    assert abs(drawn - math.pi * 20.4**2) < 20
    drawn = np.count_nonzero(pil_ellipse((30.0, 30.0), (20.4, 20.4), "")(size))
    assert abs(drawn - math.pi * 20.9**2) < 40
    turned = coco_polygon([ellipse_ring(centre, (20, 8), 90)], "")(size)
    upright = coco_polygon([ellipse_ring(centre, (8, 20))], "")(size)
    assert np.count_nonzero(turned ^ upright) <= 4


def test_another_size_is_refused_and_swapped_sides_are_named() -> None:
    with pytest.raises(DataError, match=r"here: expected labels of 8x10 like the frame, found 10x8 \(width"):
        full_mask(np.zeros(SIZE, bool), "here")((10, 8))
    with pytest.raises(DataError, match="found 9x8") as caught:
        of_size(full_mask(np.zeros((8, 9), bool), "here"), (8, 9), "here")(SIZE)
    assert "swapped" not in caught.value.message
    assert of_size(full_mask(np.zeros(SIZE, bool), ""), None, "")(SIZE).shape == SIZE


@pytest.mark.parametrize(
    ("ring", "words"),
    [
        ([1, 1, 3, 3], "3 points"),
        ([1, 1, 3, 3, 5], "found 5 numbers"),
        ([1, 1, 3, math.inf, 5, 5], "finite"),
        ([1, 1, 3, 3, 5, 5000], "within 1000 pixels"),
    ],
)
def test_rings_that_are_none_are_refused(ring: list[float], words: str) -> None:
    with pytest.raises(DataError, match=f"place: .*{words}") as caught:
        coco_polygon([ring], "place")(SIZE)
    assert caught.value.hint


@pytest.mark.parametrize("box", [(9, 7, 14, 12), (11, 1, 14, 4), (-9, 1, -1, 4), (2, 8.5, 8, 14)])
def test_what_was_drawn_on_larger_pictures_is_refused(box: tuple[float, float, float, float]) -> None:
    left, top, right, bottom = box
    centre, radii = ((left + right) / 2, (top + bottom) / 2), ((right - left) / 2, (bottom - top) / 2)
    for draw in (
        coco_polygon([box_ring(*box)], "here"),
        pil_polygon(box_ring(*box), "here"),
        pil_ellipse(centre, radii, "here"),
    ):
        with pytest.raises(DataError, match=r"here: expected points in a frame of 10x8, found them from \("):
            draw(SIZE)


def test_what_reaches_out_of_the_frame_by_less_is_cut_off() -> None:
    """A quarter of a circle about the corner of the frame, a polygon that continues outside, a line."""
    assert coco_polygon([ellipse_ring((10, 8), (3, 3))], "")(SIZE).any()
    assert pil_polygon((6, 2, 16, 2, 16, 6, 6, 6), "")(SIZE)[3, 6:].all()
    assert not coco_polygon([[2, 3, 6, 3, 4, 3]], "")(SIZE).any()


def test_a_picture_whose_size_nobody_states_was_larger_where_points_reach_out_of_the_frame() -> None:
    ring = [2, 2, 10.5, 2, 10.5, 8, 2, 8]
    drawn = coco_polygon([ring], "")(SIZE)
    np.testing.assert_array_equal(picture_polygon(ring, "here")(SIZE), drawn)
    with pytest.raises(DataError, match=r"found them from \(2, 2\) to \(12, 8\)"):
        picture_polygon([2, 2, 12, 2, 12, 8, 2, 8], "here")(SIZE)
