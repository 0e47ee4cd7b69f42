"""Frames given as masks, and what only looks like them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageFilter

from vsodtool.errors import DataError
from vsodtool.media.masks.photographs import refuse_photographs
from vsodtool.media.masks.reading import read_raw_mask
from vsodtool.media.masks.statistics import MaskSummary, summarise

Picture = npt.NDArray[np.uint8]


@pytest.fixture
def photograph() -> Picture:
    small = np.random.default_rng(0).integers(20, 220, (6, 8, 3), dtype=np.uint8)
    return np.array(Image.fromarray(small).resize((80, 60), Image.Resampling.BICUBIC))


@pytest.fixture
def summary(tmp_path: Path) -> Callable[[Image.Image, str], MaskSummary]:
    def write(picture: Image.Image, name: str) -> MaskSummary:
        picture.save(tmp_path / name)
        return summarise(tmp_path / name, read_raw_mask(tmp_path / name))

    return write


def shape() -> Picture:
    mask = np.zeros((60, 80), np.uint8)
    mask[20:40, 30:60] = 255
    return mask


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_photographs_and_masks_shown_over_them(
    name: str, photograph: Picture, summary: Callable[[Image.Image, str], MaskSummary]
) -> None:
    shown = photograph // 2 + np.dstack([shape() // 2, shape() * 0, shape() * 0])
    for picture in (
        Image.fromarray(photograph),
        Image.fromarray(photograph).convert("L"),
        Image.fromarray(shown),
    ):
        with pytest.raises(DataError, match=r"a\..*: expected a mask, found a photograph"):
            refuse_photographs([summary(Image.fromarray(shape()), "mask.png"), summary(picture, name)])


def test_masks(photograph: Picture, summary: Callable[[Image.Image, str], MaskSummary]) -> None:
    mask = Image.fromarray(shape())
    cut_out = Image.fromarray(np.where(shape()[..., None] > 0, photograph, 0))
    clear = Image.fromarray(np.dstack([photograph, shape()]))
    masks = {
        "soft.png": mask.filter(ImageFilter.GaussianBlur(6)),
        "soft.jpg": mask.filter(ImageFilter.GaussianBlur(6)),
        "white.jpg": Image.fromarray(255 - shape()),
        "cut-out.png": cut_out,
        "clear.png": clear,
        "palette.png": Image.fromarray(photograph).quantize(200),
    }
    for name, picture in masks.items():
        refuse_photographs([summary(picture, name)])
    refuse_photographs([])
