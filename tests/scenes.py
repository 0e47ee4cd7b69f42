"""Scenes for tests of cuts: textures that drift, each unlike the others."""

from __future__ import annotations

import cv2
import numpy as np

from vsodtool.types import ImageArray


def scene(seed: int, count: int, *, size: tuple[int, int] = (72, 128), speed: int = 2) -> list[ImageArray]:
    """Frames of a camera that goes over a picture of blobs in chance colours."""
    rng = np.random.default_rng(seed)
    height, width = size
    coarse = rng.integers(0, 256, (height // 8 + 2, (width + speed * count) // 8 + 2, 3)).astype(np.uint8)
    picture = cv2.resize(coarse, (width + speed * count, height), interpolation=cv2.INTER_CUBIC)
    return [np.ascontiguousarray(picture[:, at * speed : at * speed + width]) for at in range(count)]


def mixed(first: ImageArray, second: ImageArray, share: float) -> ImageArray:
    """So much of the second in the first."""
    mix = (1 - share) * first.astype(np.float32) + share * second.astype(np.float32)
    return np.clip(mix.round(), 0, 255).astype(np.uint8)
