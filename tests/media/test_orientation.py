"""EXIF orientation of pixels that are read as stored: masks lie as every viewer shows them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from vsodtool.media.masks.reading import read_raw_mask
from vsodtool.media.orientation import stated_orientation, turn_upright


def mask(mode: str) -> Image.Image:
    values = np.zeros((16, 24), np.uint8)
    values[:8, :8], values[:8, 8:16] = 255, 200  # no two of the eight orientations look alike
    if mode == "P":
        picture = Image.fromarray((values > 0).astype(np.uint8) + (values > 200))
        picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
        return picture
    if mode == "I;16":
        return Image.fromarray(values.astype(np.uint16) * 256)
    return Image.merge(mode, [Image.fromarray(values)] * len(mode))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("suffix", "mode"),
    [
        ("jpg", "L"),
        ("jpg", "RGB"),
        ("png", "L"),
        ("png", "P"),
        ("png", "LA"),
        ("png", "RGBA"),
        ("png", "I;16"),
        ("webp", "RGB"),
        ("tif", "L"),
        ("tif", "P"),
    ],
)
def test_masks_lie_as_they_are_shown(tmp_path: Path, suffix: str, mode: str, orientation: int) -> None:
    path = tmp_path / f"0.{suffix}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    mask(mode).save(path, exif=exif, quality=95)
    opened = Image.open(io.BytesIO(path.read_bytes()))
    # Pillow turns TIFF itself, if they are not mapped from a file.
    shown = np.asarray(opened if suffix == "tif" else ImageOps.exif_transpose(opened))
    raw = read_raw_mask(path)
    assert np.allclose(raw.values, shown if shown.ndim == 2 else shown[..., 0], atol=3)
    if mode in ("LA", "RGBA"):
        assert raw.alpha is not None
        assert np.array_equal(raw.alpha, shown[..., -1])


@pytest.mark.parametrize("stated", [0, 9, 65535])
def test_no_orientation(tmp_path: Path, stated: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = stated
    mask("L").save(tmp_path / "0.jpg", exif=exif)
    assert stated_orientation((tmp_path / "0.jpg").read_bytes()) == 1
    assert stated_orientation(b"\xff\xd8 Exif, and nothing that can be read") == 1
    assert stated_orientation(b"BM") == 1


def test_pixels_of_several_channels_are_turned() -> None:
    pixels = np.arange(24).reshape(2, 4, 3)
    assert np.array_equal(turn_upright(pixels, 6), np.rot90(pixels, -1))
    assert np.array_equal(turn_upright(pixels, 8), np.rot90(pixels))
