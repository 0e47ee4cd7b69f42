"""A sheet of pictures in rows, each with a caption and a time line: masks over small frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from vsodtool.errors import DataError
from vsodtool.types import ImageArray

Colour = tuple[int, int, int]  # RGB

PAPER: Colour = (17, 21, 28)
INK: Colour = (236, 240, 244)
FAINT: Colour = (150, 160, 172)
GAP = 6
MARGIN = 14
CAPTION = 34
STRIP = 20  # height of a time line with the gap below it
_OVERSAMPLING = 2  # outlines are drawn at twice the size, then shrunk: smooth at any thickness


@dataclass(frozen=True)
class Layer:
    """A mask over a picture.

    Attributes:
        mask: bool (H, W) of the picture's size.
        colour: RGB.
        opacity: of the filling, 0 to 1; 0 fills nothing.
        thickness: of the outline, in pixels of the sheet; 0 draws none.
    """

    mask: npt.NDArray[np.bool_]
    colour: Colour
    opacity: float = 0.0
    thickness: float = 0.0


@dataclass(frozen=True)
class Row:
    """A caption and its pictures.

    Attributes:
        caption: one line, drawn bright.
        note: one line, drawn faint at the right end, may be empty.
        cells: per picture its RGB and the layers over it, bottom first.
        strip: colours of a time line above the pictures, one per frame of the video; none if empty.
        tags: a word or two written into each picture's corner; none if empty.
    """

    caption: str
    note: str
    cells: Sequence[tuple[ImageArray, Sequence[Layer]]]
    strip: Sequence[Colour] = ()
    tags: Sequence[str] = ()

    @property
    def head(self) -> int:
        """Pixels above the pictures."""
        return CAPTION + (STRIP if self.strip else 0)


def draw_sheet(rows: Sequence[Row], cell_width: int = 256) -> ImageArray:
    """Lay out rows of pictures of one size.

    Args:
        rows: at least one, all with the same number of cells.
        cell_width: pixels; the height follows from the first picture.

    Returns:
        uint8 (H, W, 3) RGB.

    Raises:
        DataError: no pictures, or rows of unequal length.
    """
    columns = len(rows[0].cells) if rows else 0
    if columns == 0 or any(len(row.cells) != columns for row in rows):
        raise DataError(f"sheet: expected rows of equal length, found {[len(row.cells) for row in rows]}")
    height, width = rows[0].cells[0][0].shape[:2]
    cell_height = max(round(cell_width * height / width), 1)
    total = sum(row.head + cell_height + MARGIN for row in rows)
    size = (2 * MARGIN + columns * (cell_width + GAP) - GAP, total + MARGIN // 2)
    sheet = Image.new("RGB", size, PAPER)
    top = 0
    for row in rows:
        _draw_head(sheet, row, top)
        top += row.head
        for column, (rgb, layers) in enumerate(row.cells):
            cell = Image.fromarray(draw_cell(rgb, layers, (cell_height, cell_width)))
            if row.tags:
                _draw_tag(cell, row.tags[column])
            sheet.paste(cell, (MARGIN + column * (cell_width + GAP), top))
        top += cell_height + MARGIN
    return np.asarray(sheet, dtype=np.uint8)


def _draw_head(sheet: Image.Image, row: Row, top: int) -> None:
    """Caption, note and time line of a row that begins at `top`."""
    pen = ImageDraw.Draw(sheet)
    left, right = MARGIN, sheet.width - MARGIN
    middle = top + CAPTION / 2 + 2
    pen.text((left, middle), row.caption, INK, ImageFont.load_default(17), anchor="lm")
    pen.text((right, middle), row.note, FAINT, ImageFont.load_default(15), anchor="rm")
    for index, colour in enumerate(row.strip):
        ends = [left + (right - left) * place // len(row.strip) for place in (index, index + 1)]
        bottom = top + row.head - 8
        pen.rectangle((ends[0], top + CAPTION, max(ends[1] - 3, ends[0]), bottom), fill=colour)


def _draw_tag(cell: Image.Image, text: str) -> None:
    pen = ImageDraw.Draw(cell)
    font, corner = ImageFont.load_default(13), (7, 4)
    right = pen.textbbox(corner, text, font=font)[2]
    pen.rectangle((0, 0, right + 7, 22), fill=PAPER)
    pen.text(corner, text, INK, font)


def draw_cell(rgb: ImageArray, layers: Sequence[Layer], size: tuple[int, int]) -> ImageArray:
    """One picture with its layers, resized to `size` (H, W); uint8 RGB."""
    large = (size[1] * _OVERSAMPLING, size[0] * _OVERSAMPLING)
    canvas = cv2.resize(rgb, large, interpolation=cv2.INTER_CUBIC)
    for layer in layers:
        cover = cv2.resize(layer.mask.astype(np.float32), large, interpolation=cv2.INTER_LINEAR)
        cover = cv2.GaussianBlur(cover, (0, 0), _OVERSAMPLING)  # rounds the steps of the mask's pixels
        if layer.opacity > 0:
            share = (layer.opacity * np.clip(2 * cover - 0.5, 0, 1))[..., None]
            canvas = (canvas + (np.array(layer.colour) - canvas) * share + 0.5).astype(np.uint8)
        if layer.thickness > 0:
            inside = (cover > 0.5).astype(np.uint8)
            contours, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
            thickness = max(round(layer.thickness * _OVERSAMPLING), 1)
            cv2.drawContours(canvas, contours, -1, layer.colour, thickness, cv2.LINE_AA)
    cell: ImageArray = cv2.resize(canvas, (size[1], size[0]), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return cell
