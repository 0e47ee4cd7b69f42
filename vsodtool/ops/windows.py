"""Labelled frames -> intervals between neighbouring labels, with the frames to fill."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from vsodtool.errors import DataError


@dataclass(frozen=True)
class Interval:
    """Consecutive frames without a label, and the labelled frames on their two sides.

    Attributes:
        left: index of the labelled frame before the targets; None before the first label.
        right: index of the labelled frame after the targets; None after the last label.
        targets: indices of the frames to fill, ascending, never empty.
    """

    left: int | None
    right: int | None
    targets: range


def label_intervals(labelled: Iterable[int], frames: int) -> list[Interval]:
    """All runs of frames without a label, in order.

    Args:
        labelled: indices of the labelled frames, in any order.
        frames: number of frames of the video.

    Raises:
        DataError: there is no label, or one lies outside 0 ... frames - 1.
    """
    known = sorted(set(labelled))
    if not known:
        raise DataError("no labelled frame", "label at least one frame of the video")
    if known[0] < 0 or known[-1] >= frames:
        wrong = known[0] if known[0] < 0 else known[-1]
        raise DataError(f"labelled frame {wrong} is outside the video: expected 0 to {frames - 1}")
    sides: list[int | None] = [None, *known, None]
    intervals = []
    for left, right in pairwise(sides):
        targets = range(0 if left is None else left + 1, frames if right is None else right)
        if targets:
            intervals.append(Interval(left, right, targets))
    return intervals
