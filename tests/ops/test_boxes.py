"""Box arithmetic against whole images."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vsodtool.ops.boxes import Box, bounding_box, bounding_boxes, paste, rebox, whole

SIDE = 12


@st.composite
def boxes(draw: st.DrawFn, height: int = SIDE, width: int = SIDE) -> Box:
    top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
    return Box(top, left, draw(st.integers(top + 1, height)), draw(st.integers(left + 1, width)))


def pixels(box: Box, size: tuple[int, int] = (SIDE, SIDE)) -> np.ndarray:
    image = np.zeros(size, bool)
    image[box.top : box.bottom, box.left : box.right] = True
    return image


@given(boxes(), boxes())
def test_a_union_holds_both_and_nothing_beyond_their_ends(first: Box, second: Box) -> None:
    union = first.union(second)
    assert (pixels(union) >= (pixels(first) | pixels(second))).all()
    assert union == bounding_box(torch.from_numpy(pixels(first) | pixels(second)).float(), 0.5)
    assert union == second.union(first)


@given(boxes(), boxes())
def test_boxes_meet_that_have_a_pixel_in_common(first: Box, second: Box) -> None:
    common = pixels(first) & pixels(second)
    assert first.meets(second) == bool(common.any())
    if common.any():
        np.testing.assert_array_equal(pixels(first.within(second)), common)


@given(boxes(), st.integers(0, 20), st.floats(0, 2))
def test_growing_adds_a_border_inside_the_image(box: Box, margin: int, share: float) -> None:
    grown = box.grow(margin, share, (SIDE, SIDE))
    border = max(margin, round(share * max(box.size)))
    rows, columns = np.ogrid[:SIDE, :SIDE]
    near = (rows >= box.top - border) & (rows < box.bottom + border)
    near = near & (columns >= box.left - border) & (columns < box.right + border)
    np.testing.assert_array_equal(pixels(grown), near)


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 5), st.data())
def test_a_scaled_box_holds_every_pixel_of_its_cells(
    height: int, width: int, factor: int, data: st.DataObject
) -> None:
    small = (-(-height // factor), -(-width // factor))
    box = data.draw(boxes(*small))
    scaled = box.scale(factor, (height, width))
    cells = np.kron(pixels(box, small), np.ones((factor, factor), bool))[:height, :width]
    np.testing.assert_array_equal(pixels(scaled, (height, width)), cells)


@given(boxes(), st.integers(1, 5))
def test_an_aligned_box_has_its_sides_on_the_grid_or_at_the_border(box: Box, step: int) -> None:
    aligned = box.align(step, (SIDE, SIDE))
    assert aligned.top % step == aligned.left % step == 0
    assert 0 <= box.top - aligned.top < step
    assert 0 <= box.left - aligned.left < step
    for end, before in ((aligned.bottom, box.bottom), (aligned.right, box.right)):
        assert end % step == 0 or end == SIDE
        assert 0 <= end - before < step


@given(boxes())
def test_size_origin_and_crop_agree(box: Box) -> None:
    image = torch.arange(SIDE * SIDE).view(1, SIDE, SIDE)
    crop = box.crop(image)
    assert tuple(crop.shape[-2:]) == box.size
    assert int(crop[0, 0, 0]) == box.origin[0] * SIDE + box.origin[1]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5), st.integers(0, 7)), max_size=5))
def test_the_bounding_box_is_the_smallest(points: list[tuple[int, int, int]]) -> None:
    values = torch.zeros(1, 2, 6, 8)
    for channel, row, column in points:
        values[0, channel, row, column] = 0.5
    rows, columns = [row for _, row, _ in points], [column for _, _, column in points]
    expected = Box(min(rows), min(columns), max(rows) + 1, max(columns) + 1) if points else None
    assert bounding_box(values, 0.4) == expected
    assert bounding_box(values, 0.5) is None  # strictly above


@settings(deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 7)), max_size=4), max_size=5))
def test_boxes_of_several_regions_are_those_of_each(regions: list[list[tuple[int, int]]]) -> None:
    inside = torch.zeros(len(regions), 6, 8, dtype=torch.bool)
    for number, points in enumerate(regions):
        for row, column in points:
            inside[number, row, column] = True
    assert bounding_boxes(inside) == [bounding_box(region, 0.5) for region in inside]


@settings(deadline=None)
@given(boxes(), boxes(), st.sampled_from([None, 0.0, 1.0]))
def test_rebox_is_pasting_and_cropping(old: Box, new: Box, fill: float | None) -> None:
    values = torch.rand(1, 2, *old.size)
    found = rebox(values, old, new, fill=fill)
    if fill is None:  # the nearest known pixel
        rows = (torch.arange(new.top, new.bottom)).clamp(old.top, old.bottom - 1) - old.top
        columns = (torch.arange(new.left, new.right)).clamp(old.left, old.right - 1) - old.left
        overlap = pixels(old) & pixels(new)
        expected = values[..., rows, :][..., columns]
        if not overlap.any():  # far away: one value, that of the pixel nearest to the box's first
            expected = expected[..., :1, :1].expand_as(expected)
    else:
        image = torch.full((1, 2, SIDE, SIDE), fill)
        image[..., old.top : old.bottom, old.left : old.right] = values
        expected = new.crop(image)
    torch.testing.assert_close(found, expected)


@given(boxes(), st.integers(-30, 30), st.integers(-30, 30))
def test_a_shifted_box_keeps_its_size(box: Box, rows: int, columns: int) -> None:
    shifted = box.shift(rows, columns)
    assert shifted.size == box.size
    assert shifted.origin == (box.top + rows, box.left + columns)


@settings(deadline=None)
@given(boxes(), st.integers(-SIDE, SIDE), st.integers(-SIDE, SIDE))
def test_reboxing_beyond_the_image_repeats_its_border(box: Box, rows: int, columns: int) -> None:
    image, moved = torch.rand(1, 1, SIDE, SIDE), box.shift(rows, columns)
    found = rebox(image, whole((SIDE, SIDE)), moved)
    down = torch.arange(moved.top, moved.bottom)
    right = torch.arange(moved.left, moved.right)
    assert found.shape[-2:] == moved.size
    if ((down >= 0) & (down < SIDE)).any() and ((right >= 0) & (right < SIDE)).any():
        expected = image[..., down.clamp(0, SIDE - 1), :][..., right.clamp(0, SIDE - 1)]
        assert torch.equal(found, expected)


def test_paste_leaves_zero_outside() -> None:
    box = Box(1, 2, 3, 5)
    image = paste(torch.ones(1, 1, 2, 3), box, (4, 6))
    np.testing.assert_array_equal(image[0, 0].numpy() > 0, pixels(box, (4, 6)))
    assert whole((4, 6)).crop(image).shape == image.shape


def test_boxes_do_not_change() -> None:
    with pytest.raises(AttributeError):
        whole((2, 2)).top = 1  # type: ignore[misc]
