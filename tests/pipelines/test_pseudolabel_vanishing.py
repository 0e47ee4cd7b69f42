"""Things that flow does not follow, and light that changes: an object is not given up without doubt."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from vsodtool.config import PseudoLabelConfig
from vsodtool.metrics import region_j
from vsodtool.pipelines.pseudolabel import run_pseudolabel

Pixels = npt.NDArray[Any]
COUNT = 9
SIZE = 72, 128


def ground(size: tuple[int, int], seed: int) -> Pixels:
    small = np.random.default_rng(seed).integers(0, 256, (size[0] // 4 + 2, size[1] // 4 + 2, 3), np.uint8)
    return cv2.GaussianBlur(cv2.resize(small, size[::-1], interpolation=cv2.INTER_CUBIC), (0, 0), 1)


@dataclass(frozen=True)
class Scene:
    frames: list[Pixels]
    truth: list[Pixels]

    def run(self, folder: Path, **options: Any) -> tuple[list[float], list[float]]:
        """Mask both ends: J of the frames between, and the confidence in them."""
        for name, images in (("frames", self.frames), ("masks", [self.truth[0], self.truth[-1]])):
            (folder / name).mkdir()
            for index, image in zip(
                range(COUNT) if name == "frames" else (0, COUNT - 1), images, strict=True
            ):
                assert cv2.imwrite(
                    str(folder / name / f"{index}.png"), image[..., ::-1] if image.ndim == 3 else image
                )
        config = PseudoLabelConfig(
            inputs=(str(folder / "frames"),),
            masks=folder / "masks",
            output=folder / "out",
            device="cpu",
            workers=2,
            **options,
        )
        run_pseudolabel(config)
        with (folder / "out/frames.csv").open() as file:
            rows = list(csv.DictReader(file))[1:-1]
        found = [cv2.imread(str(folder / f"out/masks/frames/{row['frame']}.png"), 0) for row in rows]
        scores = [region_j(mask > 0, truth > 0) for mask, truth in zip(found, self.truth[1:-1], strict=True)]
        return scores, [float(row["confidence"]) for row in rows]


def drawn(paint: Callable[[Pixels, int, Any], None], *, pan: int = 0) -> Scene:
    """Something painted over a ground that the camera pans along."""
    wide = ground((SIZE[0], SIZE[1] + pan * COUNT), 3)
    frames, truth = [], []
    for index in range(COUNT):
        frame, mask = wide[:, pan * index : pan * index + SIZE[1]].copy(), np.zeros(SIZE, np.uint8)
        paint(frame, index, (250, 250, 40))
        paint(mask, index, 255)
        frames.append(frame)
        truth.append(mask)
    return Scene(frames, truth)


def disc() -> Scene:
    """A textured disc that moves over a textured ground."""
    still, skin = (
        ground(SIZE, 0),
        (ground(SIZE, 1) // 3 + np.array([150, 20, 20])).clip(0, 255).astype(np.uint8),
    )
    frames, truth = [], []
    for index in range(COUNT):
        mask = np.zeros(SIZE, np.uint8)
        cv2.circle(mask, (24 + 6 * index, 36), 12, 255, -1)
        frames.append(np.where(mask[..., None] > 0, np.roll(skin, 6 * index, 1), still))
        truth.append(mask)
    return Scene(frames, truth)


def ball(radius: int, *, fast: bool) -> Callable[[Pixels, int, Any], None]:
    def paint(image: Pixels, index: int, colour: Any) -> None:
        place = (16 + 12 * index, 36 - round(12 * np.sin(index / 8 * np.pi))) if fast else (64, 36)
        cv2.circle(image, place, radius, colour, -1)

    return paint


def line(image: Pixels, index: int, colour: Any) -> None:
    cv2.line(image, (20 + 4 * index, 10), (60 + 4 * index, 60), colour, 1)


THINGS = {
    "dot": drawn(ball(0, fast=True)),
    "ball": drawn(ball(1, fast=True)),
    "ball that stands still while the camera pans": drawn(ball(2, fast=False), pan=2),
    "line": drawn(line),
}


@pytest.mark.parametrize("quality", ["fast", "balanced"])
@pytest.mark.parametrize("thing", THINGS)
def test_small_and_thin_things_are_found_again(tmp_path: Path, thing: str, quality: str) -> None:
    scores, confidences = THINGS[thing].run(tmp_path, method="warp", quality=quality)
    assert np.mean(scores) > 0.8
    assert max(confidences) < 0.9  # by its looks alone, or in doubt


def test_what_is_hidden_between_both_labels_is_given_up_with_doubt(tmp_path: Path) -> None:
    scene = drawn(ball(3, fast=True))
    for index in (3, 4):
        scene.frames[index][scene.truth[index] > 0] = ground(SIZE, 3)[scene.truth[index] > 0]
    scores, confidences = scene.run(tmp_path, method="warp", quality="fast")
    assert min(confidences) == min(confidences[2:4])
    assert max(confidences[2:4]) < 0.3
    assert np.mean(scores[:2] + scores[4:]) > 0.8


LIGHTS: dict[str, Callable[[int], tuple[float, float]]] = {  # gain and offset of each frame
    "flash": lambda index: (1, 100.0 * (index % 3 == 1)),
    "dark flash": lambda index: (0.3 if index % 2 else 1, 0),
    "fade to black and back": lambda index: (1 - 0.85 * (1 - abs(2 * index / (COUNT - 1) - 1)), 0),
    "fade to white": lambda index: (1 - 0.7 * index / (COUNT - 1), 170 * index / (COUNT - 1)),
    "lights off": lambda index: (0.3 if index >= 4 else 1, 0),
}


@pytest.mark.parametrize("method", ["auto", "warp"])
@pytest.mark.parametrize("light", LIGHTS)
def test_light_may_change(tmp_path: Path, light: str, method: str) -> None:
    scene = disc()
    for index, frame in enumerate(scene.frames):
        gain, offset = LIGHTS[light](index)
        scene.frames[index] = np.clip(gain * frame.astype(float) + offset, 0, 255).astype(np.uint8)
    scores, _ = scene.run(tmp_path, method=method)
    assert min(scores) > 0.7  # without a change .9 and .95
    assert np.mean(scores) > 0.8
