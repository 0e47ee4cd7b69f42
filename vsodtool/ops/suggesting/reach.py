"""How far the frames of a video are from their labels, for an error that grows along the way."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, floor
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]


def reach(before: float, after: float) -> float:
    """How far a frame is from its labels, for an error that grows along the way from each of them.

    The variance of a random walk that is pinned at both ends: before * after / (before + after). In the
    middle of a gap g that is g / 4, on average over the gap g / 6, close to a label the distance to it.

    Args:
        before: distance to the label before it, in frames, at least 1.
        after: distance to the label after it, in frames, at least 1.
    """
    return before * after / (before + after)


class Stretch(NamedTuple):
    """Frames without a label, one after the other, that no cut parts.

    Attributes:
        start: the first of them.
        stop: the frame after the last of them.
        before: whether a label is carried to them from the frame before.
        after: whether one is carried to them from the frame after.
    """

    start: int
    stop: int
    before: bool
    after: bool

    def reach(self) -> Floats:
        """Of each frame: between two labels `reach`, beside one the distance to it, with none the length of
        the stretch, which no label within would leave."""
        length = self.stop - self.start
        there = np.arange(1.0, length + 1)
        back = there[::-1]
        if self.before and self.after:
            return there * back / (length + 1)
        if self.before or self.after:
            return there if self.before else back
        return np.full(length, float(length))


def stretches(labels: Sequence[int], frames: int, cuts: Sequence[int] = ()) -> list[Stretch]:
    """The stretches of a video, in order.

    Args:
        labels: indices of the labelled frames.
        frames: number of frames of the video.
        cuts: first frames of all shots but the first.
    """
    given = set(labels)
    ends: list[float] = sorted({-1, frames, *given, *(cut - 0.5 for cut in cuts)})
    return [
        Stretch(floor(left) + 1, ceil(right), left in given, right in given)
        for left, right in pairwise(ends)
        if floor(left) + 1 < ceil(right)
    ]


def reaches(labels: Sequence[int], frames: int, cuts: Sequence[int] = ()) -> Floats:
    """The reach of every frame of a video (frames,), 0 for those that are labelled; see `stretches`."""
    found = np.zeros(frames)
    for stretch in stretches(labels, frames, cuts):
        found[stretch.start : stretch.stop] = stretch.reach()
    return found
