"""Large frames are worked on at a smaller size, as far as the objects allow."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from math import ceil, floor, inf, sqrt

import torch

from vsodtool.media.spill import FrameSpill
from vsodtool.media.video.frame_store import HELD_BYTES
from vsodtool.ops.boxes import Box, bounding_box, resize_box
from vsodtool.ops.confidence import owners, with_pixels
from vsodtool.ops.labels.thin import thin
from vsodtool.ops.resize import resize_maps
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Frames, Interval, LabelledFrame
from vsodtool.types import ImageArray, Size

LINES = 540  # of frames on which objects are followed; more of them cost time and gain nothing
SIDE = 150  # pixels: no object's box becomes smaller than a square of this side
_WORTH_IT = 0.8  # reducing frames by less than that blurs labels and saves little
_LINES = (
    0.01  # share of a given mask that is thin, from which on its object has lines: .005 without, .16 with
)
OnLabel = Callable[[str, SoftLabel], None]  # takes the name of a method, and its label
_REMEMBERED = 16  # reduced frames of a long interval


def working_scale(interval: Interval, lines: float = LINES) -> float:
    """How much smaller frames may be, in (0, 1]: no object becomes smaller than it needs to be.

    Args:
        interval: its labels count, so that it is made alike whatever else is made.
        lines: pixels of the shorter side of the frames that are enough for large objects.
    """
    sides = []
    for number, present in enumerate(interval.present):
        if present:
            boxes = [bounding_box(known.labels[:, number, None], 0.0) for known in interval.labelled]
            sides.append(max(sqrt(box.size[0] * box.size[1]) for box in boxes if box))
    scale = max(lines / min(interval.size), SIDE / min(sides, default=inf))
    return scale if scale <= _WORTH_IT else 1.0


@contextmanager
def at_scale(interval: Interval, scale: float, on_label: OnLabel) -> Iterator[tuple[Interval, OnLabel]]:
    """The interval on frames that are smaller by a factor, and what takes the labels made of it.

    Args:
        interval: its frames stay open.
        scale: in (0, 1]; 1 changes nothing.
        on_label: takes labels at the full size.
    """
    if scale == 1:
        yield interval, on_label
        return
    height, width = interval.size
    size = max(round(height * scale), 1), max(round(width * scale), 1)

    def reduced(known: LabelledFrame | None) -> LabelledFrame | None:
        return known and replace(known, rgb=_reduce(known.rgb, size), labels=resize_maps(known.labels, size))

    frames = ReducedFrames(interval.frames, size, len(interval.sequence))
    small = replace(interval, left=reduced(interval.left), right=reduced(interval.right), frames=frames)
    lines = [
        number
        for number, present in enumerate(interval.present)
        if present and max(known.thin_shares[number] for known in small.labelled) > _LINES
    ]

    def give(name: str, label: SoftLabel) -> None:
        on_label(name, _with_lines(label, at_full_size(label, interval.size), lines))

    try:
        yield small, give
    finally:
        frames.close()


def at_full_size(label: SoftLabel, size: Size) -> SoftLabel:
    """A label made on a reduced frame, on the frame (H, W) itself.

    Bilinear: borders pulled to the edges of the full frame by a guided filter were worse
    (benchmarks/RESULTS.md).
    """
    box = _enlarged(label.box, label.size, size)
    parts = [label.labels, label.trust, *([] if label.support is None else [label.support])]
    maps = resize_box(torch.cat(parts, dim=1), label.box, label.size, box, size).clamp_(0, 1)
    labels, trust, support = torch.split(maps, [label.labels.shape[1], 1, len(parts) - 2], dim=1)
    return replace(
        label,
        size=size,
        box=box,
        labels=labels,
        trust=trust,
        support=None if label.support is None else support,
    )


def _with_lines(small: SoftLabel, large: SoftLabel, objects: Sequence[int]) -> SoftLabel:
    """The enlarged label, in which lines are as wide as their pixels were: blurred, they would be dotted."""
    labels = large.labels
    owner = owners(small.labels)[0, 0]
    for number in objects:
        lines = thin(owner == number + 1)
        if bool(lines.any()):
            rows, columns = (
                ((torch.arange(first, last, device=lines.device) + 0.5) * (here / there)).long() - begin
                for first, last, here, there, begin in (
                    (large.box.top, large.box.bottom, small.size[0], large.size[0], small.box.top),
                    (large.box.left, large.box.right, small.size[1], large.size[1], small.box.left),
                )
            )
            height, width = lines.shape
            near = lines[rows.clamp(0, height - 1)][:, columns.clamp(0, width - 1)]
            labels = with_pixels(labels, number, near & (owners(labels)[0, 0] != number + 1))
    return large if labels is large.labels else replace(large, labels=labels)


def _enlarged(box: Box, small: Size, large: Size) -> Box:
    """The part of the large image that a box of the small one touches."""
    down, right = large[0] / small[0], large[1] / small[1]
    return Box(
        floor(box.top * down),
        floor(box.left * right),
        min(ceil(box.bottom * down), large[0]),
        min(ceil(box.right * right), large[1]),
    )


def _reduce(rgb: ImageArray, size: Size) -> ImageArray:
    small = resize_maps(torch.from_numpy(rgb).permute(2, 0, 1)[None], size)
    reduced: ImageArray = small[0].permute(1, 2, 0).contiguous().numpy()
    return reduced


class ReducedFrames:
    """Frames of an interval at a smaller size, each made once where the interval is short."""

    def __init__(self, frames: Frames, size: Size, count: int) -> None:
        self._frames, self._size = frames, size
        self.is_long = frames.is_long and count * size[0] * size[1] * 3 > HELD_BYTES
        self._lock = threading.Lock()
        self._kept: dict[int, ImageArray] = {}

    def get(self, index: int) -> ImageArray:
        """A frame, uint8 (H, W, 3)."""
        with self._lock:
            kept = self._kept.get(index)
        if kept is None:
            kept = _reduce(self._frames.get(index), self._size)
            with self._lock:
                self._kept[index] = kept
                while self.is_long and len(self._kept) > _REMEMBERED:
                    del self._kept[next(iter(self._kept))]
        return kept

    def spill(self) -> FrameSpill:
        """A new place to put arrays aside."""
        return self._frames.spill()

    def close(self) -> None:
        """Forget the reduced frames; the others stay."""
        with self._lock:
            self._kept.clear()
