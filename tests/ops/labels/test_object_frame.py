from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.ops.boxes import Box
from vsodtool.ops.labels.object_frame import SMALLEST, ObjectFrame, object_frame


def square(top: int, left: int, side: int, size: int = 64) -> torch.Tensor:
    label = torch.zeros(size, size)
    label[top : top + side, left : left + side] = 1
    return label


def test_of_a_square_it_is_the_middle_and_the_side() -> None:
    frame = object_frame(square(10, 20, 20), (100, 200))
    assert frame is not None
    assert (frame.row, frame.column, frame.unit) == pytest.approx((119.5, 229.5, 20))


def test_of_nothing_there_is_none_and_of_little_the_unit_is_bounded() -> None:
    assert object_frame(torch.full((8, 8), 0.4), (0, 0)) is None
    frame = object_frame(square(3, 3, 2), (0, 0))
    assert frame is not None
    assert frame.unit == SMALLEST


@given(st.integers(0, 9), st.integers(0, 9), st.integers(1, 8), st.integers(1, 6), st.integers(1, 6))
def test_cells_lie_where_the_mean_of_their_pixels_lies(
    top: int, left: int, step: int, rows: int, columns: int
) -> None:
    frame = ObjectFrame(3.0, 5.0, 2.0)
    found = frame.positions(Box(top, left, top + rows * step, left + columns * step), step)
    assert found.shape == (1, 2, rows, columns)
    for row in range(rows):
        pixels = [top + row * step + offset for offset in range(step)]
        assert float(found[0, 0, row, 0]) == pytest.approx((sum(pixels) / step - 3) / 2, abs=1e-4)
    pixels = [left + (columns - 1) * step + offset for offset in range(step)]
    assert float(found[0, 1, 0, -1]) == pytest.approx((sum(pixels) / step - 5) / 2, abs=1e-4)


def test_an_object_that_moved_and_grew_has_the_same_positions() -> None:
    small, large = square(8, 8, 20), square(16, 16, 40, size=128)
    frames = [object_frame(label, (0, 0)) for label in (small, large)]
    assert frames[0] is not None
    assert frames[1] is not None
    here = frames[0].positions(Box(8, 8, 28, 28), 5)
    there = frames[1].positions(Box(16, 16, 56, 56), 10)
    torch.testing.assert_close(here, there, atol=1e-5, rtol=0)
