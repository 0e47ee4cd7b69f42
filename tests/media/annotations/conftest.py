"""The golden scene: what each format says of it, and the truth."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vsodtool.media.annotations.model import Annotations, Category, FrameKey, FrameLabels, Shape, VideoLabels
from vsodtool.media.annotations.runs import MaskArray
from vsodtool.types import LabelArray

GOLDEN = Path(__file__).parent / "golden"
SIZE = (8, 10)


@pytest.fixture
def golden() -> Path:
    return GOLDEN


@pytest.fixture
def truth() -> dict[int, LabelArray]:
    found = {}
    for number in (0, 2, 4):
        image = cv2.imread(str(GOLDEN / "truth" / f"{number:05d}.png"), cv2.IMREAD_UNCHANGED)
        found[number] = np.asarray(image, np.uint16)
    return found


def annotations_of(masks: list[dict[int, MaskArray]], name: str = "clip") -> Annotations:
    """Annotations of one video: for each frame, object id -> its mask."""
    ids = sorted({number for frame in masks for number in frame})
    frames = []
    for place, drawn in enumerate(masks):
        size = next((mask.shape for mask in drawn.values()), SIZE)
        shapes = [
            Shape(f"thing {number}", lambda _, mask=mask: mask, "made", track=str(number))  # type: ignore[misc]
            for number, mask in drawn.items()
        ]
        key = FrameKey(f"{place:05d}.jpg", place, (size[0], size[1]))
        frames.append(FrameLabels(key, tuple(shapes), empty=not shapes))
    categories = tuple(Category(f"thing {number}") for number in ids)
    return Annotations("made", "made", (VideoLabels(name, tuple(frames)),), categories)
