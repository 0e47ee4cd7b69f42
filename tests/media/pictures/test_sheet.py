"""Sheets: sizes, where colours land, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from vsodtool.errors import DataError
from vsodtool.media.pictures.sheet import (
    CAPTION,
    GAP,
    MARGIN,
    PAPER,
    STRIP,
    Layer,
    Row,
    draw_cell,
    draw_sheet,
)

GREY = np.full((60, 80, 3), 90, np.uint8)
DISK = np.hypot(*(np.mgrid[:60, :80] - np.array([30, 40])[:, None, None])) < 15


def test_layers_fill_inside_and_outline_the_border() -> None:
    cell = draw_cell(
        GREY, [Layer(DISK, (255, 0, 0), opacity=0.5), Layer(DISK, (0, 255, 0), thickness=2)], (60, 80)
    )
    assert cell.shape == (60, 80, 3)
    assert cell[5, 5].tolist() == [90, 90, 90]
    assert cell[30, 40].tolist() == pytest.approx([173, 45, 45], abs=2)
    assert cell[30, 54:57, 1].max() > 200
    assert (GREY == 90).all()


def test_a_mask_that_is_empty_or_full_changes_nothing_or_all() -> None:
    empty = draw_cell(GREY, [Layer(np.zeros((60, 80), bool), (255, 0, 0), 0.5, 2)], (30, 40))
    assert (empty == 90).all()
    full = draw_cell(GREY, [Layer(np.ones((60, 80), bool), (255, 0, 0), 1.0)], (30, 40))
    assert (full == [255, 0, 0]).all()


def test_rows_lie_below_each_other() -> None:
    row = Row("caption", "note", [(GREY, []), (GREY, [])])
    sheet = draw_sheet([row, row], cell_width=160)
    assert sheet.shape == (2 * (CAPTION + 120 + MARGIN) + MARGIN // 2, 2 * MARGIN + 2 * 160 + GAP, 3)
    assert (sheet[CAPTION : CAPTION + 120, MARGIN : MARGIN + 160] == 90).all()
    assert sheet[:CAPTION].max() > 200  # the caption is written


def test_refuses_rows_of_unequal_length() -> None:
    with pytest.raises(DataError, match=r"\[1, 2\]"):
        draw_sheet([Row("", "", [(GREY, [])]), Row("", "", [(GREY, []), (GREY, [])])])
    with pytest.raises(DataError, match="rows"):
        draw_sheet([])


def test_a_time_line_and_tags_take_their_places() -> None:
    red, blue = (255, 0, 0), (0, 0, 255)
    plain = draw_sheet([Row("a", "", [(GREY, [])])], cell_width=80)
    sheet = draw_sheet([Row("a", "", [(GREY, [])], strip=[red, blue], tags=["x"])], cell_width=80)
    assert sheet.shape == (plain.shape[0] + STRIP, plain.shape[1], 3)
    line = sheet[CAPTION + 2, MARGIN : MARGIN + 80]
    assert np.array_equal(line[2], red)
    assert np.array_equal(line[42], blue)
    cell = sheet[CAPTION + STRIP : CAPTION + STRIP + 60, MARGIN : MARGIN + 80]
    assert np.array_equal(cell[2, 2], PAPER)
    assert np.array_equal(cell[50, 70], GREY[50, 70])
