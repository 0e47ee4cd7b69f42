"""Masks of other videos are noticed before they teach anything."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vsodtool.data.sources.labelled import LabelledVideo
from vsodtool.data.sources.training_data import DataSpec, load_training_data
from vsodtool.pipelines.training.judging.doubt import Doubt, doubt_labels, inverted_labels


def write(root: Path, name: str, *, moved: int = 0, inverted: bool = False) -> None:
    """A video of a bright disc that moves; its masks lie `moved` pixels beside it, or are black on white."""
    coarse = np.random.default_rng(3).integers(0, 120, (7, 11, 3), dtype=np.uint8)
    behind = cv2.resize(coarse, (200, 120), interpolation=cv2.INTER_NEAREST)
    for kind in ("JPEGImages", "Annotations"):
        (root / kind / name).mkdir(parents=True)
    for number in range(8):
        frame = behind.copy()
        mask = np.zeros((120, 200), np.uint8)
        cv2.circle(frame, (50 + 3 * number, 60), 20, (220, 210, 200), -1)
        cv2.circle(mask, (50 + 3 * number + moved, 60), 20, 255, -1)
        mask = 255 - mask if inverted else mask
        cv2.imwrite(str(root / "JPEGImages" / name / f"{number:05d}.jpg"), frame)
        cv2.imwrite(str(root / "Annotations" / name / f"{number:05d}.png"), mask)


def load(root: Path, cache: Path) -> list[LabelledVideo]:
    data = load_training_data(DataSpec(data=(str(root),), stretches=True), cache=cache)
    return [*data.train, *data.validation]


def test_masks_beside_the_object_are_doubted(tmp_path: Path) -> None:
    for name, moved in (("right", 0), ("wrong", 70)):
        write(tmp_path / "d", name, moved=moved)
    doubt = doubt_labels(load(tmp_path / "d", tmp_path))
    assert doubt == Doubt(("wrong",), 2)
    assert doubt.is_general


def test_masks_that_are_black_on_white_are_named(tmp_path: Path) -> None:
    write(tmp_path / "d", "right")
    write(tmp_path / "d", "wrong", inverted=True)
    assert inverted_labels(load(tmp_path / "d", tmp_path)) == ("wrong",)


@pytest.mark.parametrize(
    ("videos", "looked_at", "expected"), [((), 0, False), (("a",), 3, False), (("a",), 2, True)]
)
def test_half_of_the_videos_are_enough(videos: tuple[str, ...], looked_at: int, expected: bool) -> None:
    assert Doubt(videos, looked_at).is_general is expected
