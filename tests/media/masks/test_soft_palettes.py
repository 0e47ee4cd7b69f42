"""Palette files of one object with soft edges, and those that hold ids all the same."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from tests.media.masks.mask_files import BLUE, GREEN, RED, Masks, blobs, palette_png, pillow, ring
from vsodtool.media.masks.plane_png import Palette, encode_plane_png
from vsodtool.media.masks.soft_palettes import shades_of_one

Plane = npt.NDArray[np.uint8]
WHITE = (255, 255, 255)


def strength(radius: int = 30, sigma: float = 1.2) -> npt.NDArray[np.float32]:
    """A blurred ellipse, 0 to 1, 120 x 160."""
    shape = np.zeros((120, 160), np.float32)
    if radius:
        cv2.ellipse(shape, (70, 60), (radius, radius - 8), 20, 0, 360, 1, -1)
    return np.asarray(cv2.GaussianBlur(shape, (0, 0), sigma), np.float32)


def quantised(
    share: npt.NDArray[np.float32], colour: tuple[int, int, int], colours: int, form: str = "PNG"
) -> bytes:
    pixels = (share[..., None] * np.array(colour)).round().astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).quantize(colours).save(buffer, form)
    return buffer.getvalue()


@pytest.mark.parametrize("colours", [4, 8, 16, 32, 64])
@pytest.mark.parametrize("colour", [WHITE, (255, 0, 0), RED])
@pytest.mark.parametrize("form", ["PNG", "GIF", "BMP"])
def test_shades_of_one_object_are_one_object(
    tmp_path: Path, colours: int, colour: tuple[int, int, int], form: str
) -> None:
    shares = [strength(), strength(20), strength(55), strength(0)]
    files = [quantised(share, colour, colours, form) for share in shares]
    masks = Masks(tmp_path, files, f".{form.lower()}")
    assert len(masks.ids) == 1
    for index, (share, data) in enumerate(zip(shares, files, strict=True)):
        shown = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).max(axis=2)
        assert np.array_equal(masks.labels(index) > 0, shown > max(colour) // 2)
        assert np.mean((masks.labels(index) > 0) != (share > 0.5)) < 0.005


@pytest.mark.parametrize("colours", [8, 16, 64])
@pytest.mark.parametrize("colour", [WHITE, (0, 0, 0), (255, 0, 0)])
def test_a_soft_cut_out_with_a_palette(tmp_path: Path, colours: int, colour: tuple[int, int, int]) -> None:
    files = []
    for share in (strength(), strength(20)):
        opacity = (share * 255).round().astype(np.uint8)
        pixels = np.dstack([np.broadcast_to(np.array(colour, np.uint8), (120, 160, 3)), opacity])
        buffer = io.BytesIO()
        Image.fromarray(pixels).quantize(colours, Image.Quantize.FASTOCTREE).save(buffer, "PNG")
        files.append(buffer.getvalue())
    masks = Masks(tmp_path, files)
    assert (masks.encoding.kind, masks.ids) == ("colour", (1,))
    for index, data in enumerate(files):
        shown = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))[..., 3]
        assert np.mean((masks.labels(index) > 0) != (shown > 127)) < 0.005


def test_ids_on_nothing_stay_ids(tmp_path: Path) -> None:
    for alphas in (b"\0", b"\0\x80\x80\x80\x80", b"\0\xc0\x80\x40\xff"):
        data = encode_plane_png(blobs(1, 2, 3, 4), Palette(palette(RED, GREEN, BLUE, WHITE), alphas))
        assert Masks(tmp_path, [data]).ids == (1, 2, 3, 4)
    for line in (64, 128):  # a void line that is half transparent
        alphas = bytes([0, *[255] * 254, line])
        data = encode_plane_png(ring(blobs(0, 1, 0, 2), 2, 255), Palette(palette(RED, GREEN), alphas))
        assert Masks(tmp_path, [data]).ids == (1, 2)


def test_hard_masks_may_lie_beside_soft_ones(tmp_path: Path) -> None:
    hard = (strength() > 0.5).astype(np.uint8)
    masks = Masks(
        tmp_path, [quantised(strength(), WHITE, 8), palette_png(hard, bytes([0, 0, 0, 255, 255, 255]))]
    )
    assert masks.ids == (1,)
    assert np.array_equal(masks.labels(1), hard)


def test_an_object_that_fills_most_of_its_frame(tmp_path: Path) -> None:
    share = strength(75)
    share[20:100] = np.maximum(share[20:100], 1 * (np.arange(160) > 2) * (np.arange(160) < 157))
    masks = Masks(tmp_path, [quantised(cv2.GaussianBlur(share, (0, 0), 0.6), WHITE, 8)])
    assert np.mean(share > 0.5) > 0.6
    assert masks.ids == (1,)
    assert np.mean((masks.labels() > 0) != (share > 0.5)) < 0.02


def palette(*colours: tuple[int, int, int], void: tuple[int, int, int] = (224, 224, 192)) -> bytes:
    table = np.zeros((256, 3), np.uint8)
    table[1 : len(colours) + 1] = colours
    table[255] = void
    return table.tobytes()


def test_ids_whose_colours_are_shades_of_one_stay_ids(tmp_path: Path) -> None:
    for colours in ([(64, 0, 0), (128, 0, 0), (192, 0, 0)], [(85, 85, 85), (170, 170, 170), WHITE]):
        for order in ((1, 2, 3), (3, 1, 2)):
            masks = Masks(tmp_path, [palette_png(blobs(*order), palette(*colours))])
            assert (masks.encoding.kind, masks.ids) == ("palette", (1, 2, 3))
            touching = np.repeat(np.repeat(np.array([[0, *order, 0]] * 5, np.uint8), 12, 0), 12, 1)
            touching[:12] = touching[-12:] = 0
            assert Masks(tmp_path, [palette_png(touching, palette(*colours))]).ids == (1, 2, 3)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_a_void_line_of_a_palette_is_no_shade(tmp_path: Path, width: int) -> None:
    for void in ((224, 224, 192), (128, 128, 128), WHITE):
        for colours in ((WHITE,), (RED,), (RED, GREEN), (RED, BLUE)):
            ids = tuple(range(1, len(colours) + 1))
            pixels = ring(blobs(0, *ids), width, 255)
            masks = Masks(tmp_path, [palette_png(pixels, palette(*colours, void=void))])
            assert (masks.encoding.kind, masks.ids, masks.encoding.meaning.void) == ("palette", ids, 255)


def test_other_formats_of_ids_are_left_alone(tmp_path: Path) -> None:
    data = pillow(blobs(1, 2, 3), "GIF", palette(RED, GREEN, BLUE))
    assert Masks(tmp_path, [data], ".gif").ids == (1, 2, 3)


def test_too_few_shades_and_black_on_white_say_nothing() -> None:
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1)
    soft = (strength() * 255).round().astype(np.uint8)
    few = np.where(soft > 200, 255, np.where(soft > 60, 128, 0)).astype(np.uint8)
    assert shades_of_one(soft, greys, np.unique(soft)) is not None
    assert shades_of_one(255 - soft, greys, np.unique(255 - soft)) is None
    assert shades_of_one(few, greys, np.unique(few)) is None
    assert shades_of_one(soft, greys // 12, np.unique(soft)) is None, "all of it is dark"
