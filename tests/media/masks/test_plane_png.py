"""Palette and plane PNG against Pillow and OpenCV."""

from __future__ import annotations

import io
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from vsodtool.media.masks.plane_png import Palette, decode_palette_png, encode_plane_png, is_palette_png

COLOURS = bytes(range(256)) * 3
SIZES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=9)


@given(hnp.arrays(st.sampled_from([np.uint8, np.uint16]), SIZES))
def test_grey_is_read_by_others(plane: np.ndarray) -> None:
    data = encode_plane_png(plane)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), plane)
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert found.dtype == plane.dtype
    assert np.array_equal(found, plane)
    assert not is_palette_png(data)


@given(hnp.arrays(np.uint8, SIZES))
def test_palettes_are_read_by_others(indices: np.ndarray) -> None:
    data = encode_plane_png(indices, Palette(COLOURS, b"\0\x80"))
    image = Image.open(io.BytesIO(data))
    assert image.mode == "P"
    assert np.array_equal(np.asarray(image), indices)
    assert bytes(image.getpalette() or []) == COLOURS
    assert is_palette_png(data)
    found, palette = decode_palette_png(data)
    assert np.array_equal(found, indices)
    assert palette == Palette(COLOURS, b"\0\x80")


@pytest.mark.parametrize(("ids", "bits"), [(2, 1), (4, 2), (16, 4), (17, 8)])
def test_palettes_of_any_depth_are_read(ids: int, bits: int) -> None:
    indices = np.random.default_rng(0).integers(0, ids, (7, 13), dtype=np.uint8)
    image = Image.fromarray(indices, "L")
    image = image.convert("P")
    image.putdata(indices.ravel().tolist())
    image.putpalette(COLOURS[: 3 * ids])
    buffer = io.BytesIO()
    image.save(buffer, "PNG", bits=bits)
    assert buffer.getvalue()[24] == bits
    found, palette = decode_palette_png(buffer.getvalue())
    assert np.array_equal(found, indices)
    assert palette.colours[: 3 * ids] == COLOURS[: 3 * ids]


def test_interlaced_palettes_are_read() -> None:
    # Adam7 with one pixel has a single pass, so the header bit may be set by hand.
    data = bytearray(encode_plane_png(np.full((1, 1), 7, np.uint8), Palette(COLOURS)))
    data[28] = 1
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    assert decode_palette_png(bytes(data))[0].tolist() == [[7]]


def test_colours_beyond_the_palette_are_black() -> None:
    assert Palette(b"\1\2\3").colour(0) == b"\1\2\3"
    assert Palette(b"\1\2\3").colour(9) == b"\0\0\0"


def test_what_is_no_palette_file_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a palette PNG"):
        decode_palette_png(encode_plane_png(np.zeros((2, 2), np.uint8)))
    with pytest.raises(ValueError, match="not a PNG"):
        decode_palette_png(b"text")
    data = encode_plane_png(np.zeros((9, 9), np.uint8), Palette(COLOURS))
    with pytest.raises(ValueError, match="truncated"):
        decode_palette_png(data[:-20])
