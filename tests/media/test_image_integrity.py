"""Truncated and damaged image files are told from whole ones."""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from vsodtool.media.image_integrity import (
    count_pages,
    find_damage,
    find_pages,
    has_deep_pixels,
    png_chunks,
)

PICTURE = cv2.resize(np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8), (80, 60))


def encoded(suffix: str) -> bytes:
    return cv2.imencode(suffix, PICTURE)[1].tobytes()


def with_thumbnail() -> bytes:
    """A JPEG whose header holds another JPEG, end marker included, as cameras write it."""
    outer, inner = encoded(".jpg"), encoded(".jpg")[:8000]
    return outer[:2] + b"\xff\xe1" + (len(inner) + 2).to_bytes(2, "big") + inner + outer[2:]


def progressive() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PICTURE).save(buffer, "JPEG", progressive=True)
    return buffer.getvalue()


WHOLE = {
    "jpeg": encoded(".jpg"),
    "jpeg with thumbnail": with_thumbnail(),
    "progressive jpeg": progressive(),
    "jpeg with a trailer": encoded(".jpg") + b"trailer of a phone",
    "png": encoded(".png"),
    "bmp": encoded(".bmp"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_whole_files_have_no_damage(name: str) -> None:
    assert find_damage(WHOLE[name]) == ""


@pytest.mark.parametrize("name", ["jpeg", "jpeg with thumbnail", "progressive jpeg", "png"])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.9])
def test_cut_files_are_truncated(name: str, share: float) -> None:
    data = WHOLE[name]
    assert "truncated" in find_damage(data[: int(len(data) * share)])


def test_the_last_byte_counts() -> None:
    assert "truncated" in find_damage(WHOLE["jpeg"][:-1])
    assert "truncated" in find_damage(WHOLE["png"][:-1])


def test_an_empty_file_is_damaged() -> None:
    assert find_damage(b"") == "empty file"


def test_a_changed_png_has_a_wrong_checksum() -> None:
    data = bytearray(WHOLE["png"])
    data[len(data) // 2] ^= 1
    assert "wrong checksum in its IDAT" in find_damage(bytes(data))


def test_a_jpeg_without_markers_is_damaged() -> None:
    assert "no marker" in find_damage(b"\xff\xd8" + b"text" * 4)


def test_chunks_of_a_png() -> None:
    kinds = [kind for kind, _ in png_chunks(WHOLE["png"])]
    assert (kinds[0], kinds[-1]) == (b"IHDR", b"IEND")
    with pytest.raises(ValueError, match="not a PNG"):
        next(png_chunks(b"GIF89a"))


def saved(form: str, pages: int = 1, **more: object) -> bytes:
    buffer = io.BytesIO()
    pictures = [Image.fromarray(np.roll(PICTURE, page, axis=1)) for page in range(pages)]
    options = {"save_all": True, "append_images": pictures[1:]} if pages > 1 else {}
    pictures[0].save(buffer, form, **options, **more)
    return buffer.getvalue()


@pytest.mark.parametrize("form", ["TIFF", "PNG", "WEBP"])
def test_several_pages_are_counted(form: str) -> None:
    assert count_pages(saved(form, 9)) == 9
    assert find_damage(saved(form, 9)) == ""
    assert "holds 9 pages" in find_pages(saved(form, 9))
    assert count_pages(saved(form)) == 1
    assert find_pages(saved(form)) == ""


def test_pages_of_a_big_tiff_and_what_is_no_page() -> None:
    assert count_pages(saved("TIFF", 3, big_tiff=True)) == 3
    thumbnail = bytearray(saved("TIFF", 2))
    second = struct.unpack_from("<I", thumbnail, 4)[0]
    count = struct.unpack_from("<H", thumbnail, second)[0]
    second = struct.unpack_from("<I", thumbnail, second + 2 + 12 * count)[0]
    struct.pack_into("<HHII", thumbnail, second + 2, 254, 4, 1, 1)  # its first tag: "a reduced copy"
    assert count_pages(bytes(thumbnail)) == 1


@pytest.mark.parametrize("form", ["TIFF", "PNG", "JPEG", "BMP"])
def test_a_size_that_no_picture_has_is_damage(form: str) -> None:
    data = bytearray(saved(form))
    if form == "PNG":
        struct.pack_into(">II", data, 16, 50000, 50000)
        struct.pack_into(">I", data, 29, zlib.crc32(data[12:29]))
    elif form == "BMP":
        struct.pack_into("<ii", data, 18, 50000, -50000)
    elif form == "JPEG":
        place = data.find(b"\xff\xc0")
        struct.pack_into(">HH", data, place + 5, 50000, 50000)
    else:
        first = struct.unpack_from("<I", data, 4)[0]
        struct.pack_into("<HHII", data, first + 2, 256, 4, 1, 50000)
        struct.pack_into("<HHII", data, first + 14, 257, 4, 1, 50000)
    assert find_damage(bytes(data)) == "damaged or too large: it announces 50000x50000 pixels"


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3])
def test_depths_above_8_bit_are_seen_in_the_header(suffix: str, channels: int) -> None:
    picture = PICTURE if channels == 3 else PICTURE[..., 0]
    assert has_deep_pixels(cv2.imencode(suffix, picture.astype(np.uint16))[1].tobytes())
    assert not has_deep_pixels(cv2.imencode(suffix, picture)[1].tobytes())
    assert not has_deep_pixels(encoded(".jpg"))


def test_a_cut_webp_is_truncated() -> None:
    assert "truncated" in find_damage(saved("WEBP")[:-20])
