"""Masks with an alpha channel: when it says what is drawn, and when it says nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.media.masks.mask_files import GREEN, RED, Masks, blobs, drawn, png, smooth
from vsodtool.errors import DataError

Plane = npt.NDArray[np.generic]
OBJECT = blobs(0, 1, 1) > 0


def rgba(colours: Plane, alpha: Plane | int) -> bytes:
    """RGB, or grey as RGB, with an opacity."""
    pixels = colours if colours.ndim == 3 else np.dstack([colours] * 3)
    return png(np.dstack([pixels, np.broadcast_to(alpha, pixels.shape[:2])]).astype(pixels.dtype))


@pytest.mark.parametrize("alpha", [100, 128, 200])
@pytest.mark.parametrize("colour", ["white", "red"])
def test_the_same_opacity_everywhere_says_nothing(tmp_path: Path, alpha: int, colour: str) -> None:
    pixels = OBJECT * np.uint8(255) if colour == "white" else drawn((0, 0, 0), RED, RED)
    masks = Masks(tmp_path, [rgba(pixels, alpha), rgba(pixels * 0, alpha)])
    assert masks.ids == (1,)
    assert np.array_equal(masks.labels(0) > 0, OBJECT)
    assert not masks.labels(1).any()
    two = Masks(tmp_path, [rgba(drawn(RED, GREEN), alpha)])
    assert np.array_equal(two.labels(), Masks(tmp_path, [png(drawn(RED, GREEN))]).labels())


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_pixel_that_is_all_but_opaque_says_nothing(tmp_path: Path, dtype: type) -> None:
    full = np.iinfo(dtype).max
    alpha = np.full((60, 80), full, dtype)
    alpha[0, 0] = full - 1
    masks = Masks(tmp_path, [rgba((OBJECT * full).astype(dtype), alpha)])
    assert masks.ids == (1,)
    assert np.array_equal(masks.labels() > 0, OBJECT)


@pytest.mark.parametrize("colour", ["white", "red"])
def test_an_opaque_mask_on_black_among_transparent_ones(tmp_path: Path, colour: str) -> None:
    pixels = OBJECT * np.uint8(255) if colour == "white" else drawn((0, 0, 0), RED, RED)
    files = [
        rgba(pixels, OBJECT * np.uint8(255)),
        rgba(pixels, 255),
        rgba(pixels * 0, 255),
        rgba(pixels * 0, 0),
    ]
    masks = Masks(tmp_path, files)
    assert masks.ids == (1,)
    for index, expected in enumerate((OBJECT, OBJECT, OBJECT * 0, OBJECT * 0)):
        assert np.array_equal(masks.labels(index) > 0, expected)


def test_several_objects_on_black_among_transparent_ones_are_refused(tmp_path: Path) -> None:
    pixels = drawn(RED, GREEN)
    with pytest.raises(DataError, match=r"1\.png: expected a transparent mask like 0\.png, found colour"):
        Masks(tmp_path, [rgba(pixels, pixels.any(axis=2) * np.uint8(255)), rgba(pixels, 255)])


def test_a_background_that_shines_through(tmp_path: Path) -> None:
    photo = np.random.default_rng(0).integers(1, 256, (60, 80, 3), dtype=np.uint8)
    masks = Masks(tmp_path, [rgba(photo, np.where(OBJECT, 255, 100).astype(np.uint8))])
    assert np.array_equal(masks.labels() > 0, OBJECT)


@pytest.mark.parametrize("alpha", [1, 100, 255])
def test_what_is_transparent_at_all_still_goes_by_it(tmp_path: Path, alpha: int) -> None:
    for shade in (0, 255):
        masks = Masks(tmp_path, [rgba(np.full((60, 80), shade, np.uint8), OBJECT * np.uint8(alpha))])
        assert np.array_equal(masks.labels() > 0, OBJECT)
    soft = Masks(tmp_path, [rgba(np.full((60, 80), 255, np.uint8), smooth(alpha))])
    assert soft.ids == (1,)
