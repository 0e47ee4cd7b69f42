"""Objects drawn in colour in JPEG and lossy WebP: one colour is one, whatever noise is around it."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from tests.media.masks.mask_files import GREEN, RED, Masks

WARNING = "several colours are drawn and not told apart: all of them are one object"


def shapes(*colours: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    """An ellipse for each colour, 240 x 420, on black."""
    pixels = np.zeros((240, 420, 3), np.uint8)
    for place, colour in enumerate(colours):
        cv2.ellipse(pixels, (100 + 130 * place, 130), (45, 30), 0, 0, 360, colour, -1)
    return pixels


def read(tmp_path: Path, pixels: npt.NDArray[np.uint8], form: str, quality: int) -> Masks:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form, quality=quality)
    masks = Masks(tmp_path, [buffer.getvalue()], f".{form.lower()}")
    assert masks.ids == (1,)
    return masks


@pytest.mark.parametrize("quality", [30, 75, 95])
@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_noise_along_edges_is_no_other_colour(tmp_path: Path, form: str, quality: int) -> None:
    for colour in ((255, 255, 255), (255, 0, 0), RED, (255, 255, 0), (255, 128, 0), (192, 64, 130)):
        masks = read(tmp_path, shapes(colour), form, quality)
        assert masks.encoding.warnings == []
        assert np.mean((masks.labels() > 0) != shapes(colour).any(axis=2)) < 0.005


@pytest.mark.parametrize("quality", [30, 75, 95])
@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_two_colours_are_warned_of(tmp_path: Path, form: str, quality: int) -> None:
    for colours in (
        (RED, GREEN),
        ((255, 0, 0), (255, 255, 0)),
        ((255, 0, 0), (255, 255, 255)),
        (RED, (255, 0, 0)),
    ):
        assert read(tmp_path, shapes(*colours), form, quality).encoding.warnings == [WARNING]
