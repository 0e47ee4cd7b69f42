"""Colours of a palette are its indices again, where that is beyond doubt."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.media.masks.mask_files import png
from vsodtool.media.masks.by_palette import as_indices
from vsodtool.media.masks.plane_png import Palette
from vsodtool.media.masks.reading import RawMask, read_raw_mask

RED, GREEN = (200, 0, 0), (0, 200, 0)
COLOURS = [(0, 0, 0), RED, GREEN, RED, (0, 0, 0)]
PALETTE = Palette(bytes(value for colour in COLOURS for value in colour))


def raw(*colours: tuple[int, ...], depth: type = np.uint8) -> RawMask:
    pixels = np.array([colours], depth)
    return RawMask("colour", pixels.max(axis=2), rgb=pixels)


def indices(mask: RawMask, occurring: set[int]) -> list[int] | None:
    found = as_indices(mask, PALETTE, occurring)
    assert found is None or (found.container, found.palette) == ("palette", PALETTE)
    return None if found is None else found.values.ravel().tolist()


def test_of_several_indices_with_one_colour_those_that_occur_are_meant() -> None:
    assert indices(raw(RED, GREEN, (0, 0, 0)), {0, 1, 2}) == [1, 2, 0]
    assert indices(raw(RED, GREEN, (0, 0, 0)), {0, 3}) == [3, 2, 0]
    assert indices(raw(GREEN, (0, 0, 0)), {4, 2}) == [2, 4]


def test_what_is_in_doubt_is_no_index() -> None:
    assert indices(raw(RED, GREEN), {0, 1, 3}) is None
    assert indices(raw(GREEN, (0, 0, 0)), {0, 1, 3}) == [2, 0]
    assert indices(raw(RED, (199, 0, 0)), {0, 1}) is None
    assert indices(raw(RED, depth=np.uint16), {0, 1}) is None


def test_a_pixel_that_is_not_opaque_is_no_index(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    path.write_bytes(png(np.array([[(*RED, 255), (*RED, 9)]], np.uint8)))
    assert indices(read_raw_mask(path), {0, 1}) is None
    path.write_bytes(png(np.array([[(*RED, 255), (*GREEN, 255)]], np.uint8)))
    assert indices(read_raw_mask(path), {0, 1}) == [1, 2]
