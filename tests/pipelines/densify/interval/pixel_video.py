"""A video of one pixel with masks of one pixel: enough to see which frames are read and filled."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from vsodtool.pipelines.densify.interval import Interval
from vsodtool.types import Frame

Shape = tuple[int | None, list[int], list[int], int | None]  # left, targets, passed, right


def pixel(index: int) -> Any:
    return np.full((1, 1, 3), index, np.uint8)


class Pixels:
    """A video of one pixel, of which some frames do not decode."""

    def __init__(self, count: int, lost: set[int]) -> None:
        self.names = [f"f{index}" for index in range(count)]
        self.video = type("Video", (), {"path": Path("clip"), "name": "clip"})
        self._lost = lost
        self.read: list[int] = []

    def __iter__(self) -> Any:
        return self.select(range(len(self.names)))

    def select(self, indices: Collection[int]) -> Iterator[Frame]:
        for index, name in enumerate(self.names):
            if index in indices and index not in self._lost:
                self.read.append(index)
                yield Frame(index, name, pixel(index))


class Labels:
    """Masks of one pixel."""

    object_ids = (1,)

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def read(self, name: str) -> Any:
        del name
        return np.ones((1, 1), np.uint16)


def shape(interval: Interval) -> Shape:
    left, right = (known and known.index for known in (interval.left, interval.right))
    return left, list(interval.targets), list(interval.passed), right
