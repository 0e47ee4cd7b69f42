"""Truncated and damaged image files are told from whole ones."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from vsodtool.media.image_integrity import find_damage, png_chunks

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
