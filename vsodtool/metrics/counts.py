"""How many pixels of each level lie on the object and how many beside it: the joint histogram of a frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from vsodtool.metrics.arguments import BoolArray, FloatArray
from vsodtool.metrics.levels import Levels

IntArray: TypeAlias = npt.NDArray[np.int64]

NEAR = 1e-9


@dataclass(frozen=True)
class Counts:
    """Pixels of a frame, or of a block of it.

    Attributes:
        beside: int64 (L,), pixels of each level where the truth is background.
        inside: int64 (L,), pixels of each level where the truth is object.
    """

    beside: IntArray
    inside: IntArray

    @property
    def all(self) -> IntArray:
        """int64 (L,), pixels of each level."""
        return self.beside + self.inside

    @property
    def truth(self) -> int:
        """Object pixels of the truth."""
        return int(self.inside.sum())

    @property
    def size(self) -> int:
        """Pixels."""
        return int(self.beside.sum()) + self.truth


def count(levels: Levels, truth: BoolArray) -> Counts:
    """Count a frame.

    Args:
        levels: the prediction, (H, W).
        truth: bool (H, W).
    """
    return count_blocks(levels, truth, None)[0]


def count_blocks(levels: Levels, truth: BoolArray, corner: tuple[int, int] | None) -> list[Counts]:
    """Count the four blocks that meet in a corner, or the whole.

    Args:
        levels: the prediction, (H, W).
        truth: bool (H, W).
        corner: (rows above, columns to the left); None for the frame as one block.

    Returns:
        Counts of the blocks left top, right top, left bottom, right bottom; some may have no pixels.
    """
    number = levels.values.size
    joint: npt.NDArray[Any] = truth.astype(np.uint16 if number <= 256 else np.uint32)
    joint *= number
    joint += levels.index
    y, x = corner if corner is not None else joint.shape
    blocks = [joint[:y, :x], joint[:y, x:], joint[y:, :x], joint[y:, x:]]
    result = []
    for block in blocks if corner is not None else blocks[:1]:
        histogram = np.bincount(block.reshape(-1), minlength=2 * number)
        result.append(Counts(histogram[:number], histogram[number:]))
    return result


def merge(blocks: list[Counts]) -> Counts:
    """The counts of a frame from those of its blocks."""
    beside, inside = (np.sum([getattr(b, side) for b in blocks], axis=0) for side in ("beside", "inside"))
    return Counts(beside, inside)


def above_bins(levels: Levels, counts: Counts) -> tuple[IntArray, IntArray]:
    """True positives and positives at the 256 thresholds.

    Returns:
        Two int64 (256,): object pixels with prediction >= k/255, and all pixels with prediction >= k/255.
    """
    bins = levels.bins
    inside, every = (
        np.bincount(bins, weights=side, minlength=256)[::-1].cumsum()[::-1].astype(np.int64)
        for side in (counts.inside, counts.all)
    )
    return inside, every


def above(levels: Levels, counts: Counts, threshold: float) -> tuple[int, int]:
    """True positives and positives at one threshold: pixels with value >= threshold."""
    chosen = levels.values >= threshold
    return int(counts.inside[chosen].sum()), int(counts.all[chosen].sum())


def adaptive_threshold(levels: Levels, counts: Counts) -> float:
    """min(2 * mean of the prediction, 1): Achanta et al., CVPR 2009, as the benchmarks cap it.

    The mean comes from the counts, which may round differently from the mean over the pixels. Where a level
    lies so near that this could move it over the threshold, the mean is taken over the pixels, as the
    reference does.
    """
    every = counts.all
    threshold = 2 * float(every @ levels.values) / counts.size
    if threshold > 1 + NEAR:
        return 1.0
    if _close(levels.values[every > 0], threshold):
        threshold = 2 * float(levels.image().mean())
    return min(threshold, 1.0)


def _close(values: FloatArray, threshold: float) -> bool:
    return bool((np.abs(values - threshold) < NEAR).any())
