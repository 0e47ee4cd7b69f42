"""How maps in colour are drawn, from real files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from vsodtool.media.maps.colours import tell_drawing

Pixels = npt.NDArray[Any]


def things(size: int = 1) -> Pixels:
    """RGB (60, 80, 3): two things in two colours that touch, on black."""
    canvas = np.zeros((60 * size, 80 * size, 3), np.uint8)
    cv2.circle(canvas, (30 * size, 30 * size), 15 * size, (200, 0, 0), -1)
    cv2.circle(canvas, (50 * size, 30 * size), 12 * size, (0, 120, 60), -1)
    return canvas


def smooth(canvas: Pixels) -> Pixels:
    """With anti-aliased borders."""
    return cv2.resize(canvas, (80, 60), interpolation=cv2.INTER_AREA)


def write(path: Path, rgb: Pixels) -> Path:
    assert cv2.imwrite(str(path), np.ascontiguousarray(rgb[..., ::-1]))
    return path


@pytest.mark.parametrize(
    ("name", "pixels"),
    [
        ("flat.png", things()),
        ("smooth.png", smooth(things(4))),
        ("deep.png", smooth(things(4)).astype(np.uint16) * 257),
        ("lossy.jpg", things()),
        ("many.jpg", np.tile(things(), (2, 3, 1))),
        ("pale.png", things().any(2, keepdims=True) * np.uint8([150, 140, 155])),
        ("ground.png", np.where(things().any(2, keepdims=True), things(), np.uint8([90, 0, 90]))),
    ],
)
def test_masks_are_flat_with_borders_that_are_mixtures(tmp_path: Path, name: str, pixels: Pixels) -> None:
    assert tell_drawing([write(tmp_path / name, pixels)]) == "flat"


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_things_cut_out_as_they_look_are_shaded(tmp_path: Path, suffix: str) -> None:
    small = np.random.default_rng(0).integers(0, 255, (8, 10, 3), np.uint8)
    looks = cv2.resize(small, (80, 60), interpolation=cv2.INTER_CUBIC)
    file = write(tmp_path / f"p.{suffix}", looks * things().any(2, keepdims=True))
    assert tell_drawing([file]) == "shaded"


@pytest.mark.parametrize("table", [cv2.COLORMAP_JET, cv2.COLORMAP_HOT, cv2.COLORMAP_DEEPGREEN])
def test_false_colours_stored_with_a_loss_are_shaded(tmp_path: Path, table: int) -> None:
    values = cv2.GaussianBlur(things().any(2) * np.uint8(255), (0, 0), 3)
    file = write(tmp_path / "p.jpg", cv2.applyColorMap(values, table))
    assert tell_drawing([file]) == "shaded"


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_shades_of_one_colour_are_shaded(tmp_path: Path, suffix: str) -> None:
    values = cv2.GaussianBlur(things().any(2) * np.uint8(255), (0, 0), 8)
    file = write(tmp_path / f"p.{suffix}", values[..., None] * np.uint8([1, 0, 0]))
    assert tell_drawing([file]) == "shaded"


def test_one_flat_file_among_shaded_ones_does_not_decide(tmp_path: Path) -> None:
    soft = cv2.GaussianBlur(things(), (0, 0), 6)
    files = [write(tmp_path / "0.png", things()), *(write(tmp_path / f"{n}.png", soft) for n in (1, 2))]
    assert tell_drawing(files) == "shaded"
