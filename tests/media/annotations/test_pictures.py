"""Pictures within annotation files: what is set in them, and what is refused before it is unpacked."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from vsodtool.media.annotations.pictures import (
    bilevel_png,
    from_base64,
    has_transparency,
    inflate,
    nonzero,
    opaque,
    open_png,
    to_base64,
    transparent_png,
)
from vsodtool.media.annotations.runs import MaskArray

MASKS = arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12))


def png(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


@given(MASKS)
def test_masks_come_back(mask: MaskArray) -> None:
    np.testing.assert_array_equal(nonzero(open_png(bilevel_png(mask))), mask)
    np.testing.assert_array_equal(opaque(open_png(transparent_png(mask))), mask)
    assert has_transparency(open_png(transparent_png(mask)))
    assert not has_transparency(open_png(bilevel_png(mask)))
    assert from_base64(to_base64(bilevel_png(mask))) == bilevel_png(mask)


def test_what_is_set_in_grey_palette_and_colour() -> None:
    values = np.array([[0, 1], [255, 0]], np.uint8)
    assert nonzero(Image.fromarray(values)).tolist() == [[False, True], [True, False]]
    colour = np.zeros((1, 2, 4), np.uint8)
    colour[0, :, 3], colour[0, 1, 2] = 255, 9
    assert nonzero(Image.fromarray(colour, "RGBA")).tolist() == [[False, True]]
    palette = Image.fromarray(values // 255, "P")
    palette.putpalette([0, 0, 0, 255, 255, 255])
    assert has_transparency(open_png(png(palette, transparency=0)))
    assert opaque(open_png(png(palette, transparency=0))).tolist() == [[False, False], [True, False]]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"GIF89a" + b"\0" * 40, "found other bytes"),
        (b"\x89PNG\r\n\x1a\n", "found other bytes"),
        (bilevel_png(np.ones((4, 4), bool))[:45], "damaged"),
        (bilevel_png(np.ones((4, 9), bool)), "at most 8x8, found 9x4"),
        (bilevel_png(np.ones((9, 4), bool)), "at most 8x8, found 4x9"),
    ],
)
def test_what_is_no_picture_or_too_large_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        open_png(data, (8, 8))


def test_a_header_alone_is_enough_to_refuse_a_bomb() -> None:
    """The size stands in the first 24 bytes; nothing behind them is looked at."""
    head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (20_000).to_bytes(4, "big") * 2
    with pytest.raises(ValueError, match="134217728 pixels, found 20000x20000"):
        open_png(head)


def test_a_stream_that_holds_more_than_it_may_is_refused() -> None:
    packed = zlib.compress(b"\0" * 10_000)
    assert inflate(packed, 10_000) == b"\0" * 10_000
    with pytest.raises(ValueError, match="at most 9999 bytes"):
        inflate(packed, 9_999)
    with pytest.raises(ValueError, match="expected a zlib stream"):
        inflate(b"no stream", 10)
    with pytest.raises(ValueError, match="expected base64"):
        from_base64("$$$")
