"""Mask files that cannot be read."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.media.masks.mask_files import (
    DAVIS,
    Masks,
    blobs,
    palette_png,
    png,
)
from vsodtool.errors import DataError
from vsodtool.media.masks.plane_png import Palette, encode_plane_png


@pytest.mark.parametrize("form", ["TIFF", "GIF", "PNG", "WEBP"])
def test_several_pictures_in_one_file_are_refused(tmp_path: Path, form: str) -> None:
    buffer, pages = io.BytesIO(), [Image.fromarray(blobs(255)), Image.fromarray(blobs(0, 255))]
    pages[0].save(buffer, form, save_all=True, append_images=pages[1:])
    with pytest.raises(DataError, match=r"expected one mask, found 2 pictures in one file"):
        Masks(tmp_path, [buffer.getvalue()])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"text", "does not decode"),
        (png(blobs(255))[:-30], "truncated"),
        (palette_png(blobs(1))[:-30], "truncated"),
        (cv2.imencode(".jpg", blobs(255))[1].tobytes()[:-30], "truncated"),
        (cv2.imencode(".tiff", blobs(255).astype(np.float32))[1].tobytes(), "found float32 pixels"),
    ],
)
def test_unreadable_masks_are_refused(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=rf"0\.png: expected a mask.*{reason}") as caught:
        Masks(tmp_path, [data])
    assert caught.value.exit_code == 3
    assert caught.value.hint


def test_damaged_palette_pixels_are_refused(tmp_path: Path) -> None:
    data = encode_plane_png(blobs(1), Palette(DAVIS))
    start = data.find(b"IDAT")
    body = b"\x78\x01 no deflate stream"
    crc = zlib.crc32(b"IDAT" + body)
    broken = (
        data[: start - 4]
        + len(body).to_bytes(4, "big")
        + b"IDAT"
        + body
        + crc.to_bytes(4, "big")
        + data[-12:]
    )
    with pytest.raises(DataError, match="does not decode"):
        Masks(tmp_path, [broken])
