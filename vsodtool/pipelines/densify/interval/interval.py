"""One interval between neighbouring labels: its two labels, its frames, and which of them are filled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from vsodtool.media.spill import FrameSpill
from vsodtool.ops.boxes import Box
from vsodtool.pipelines.densify.interval.labelled_frame import LabelledFrame
from vsodtool.pipelines.densify.interval.tensors import to_image
from vsodtool.types import ImageArray, Size


class Frames(Protocol):
    """The frames of an interval, see `FrameStore`."""

    @property
    def is_long(self) -> bool:
        """Whether they are too many to be held in memory."""
        ...

    def get(self, index: int) -> ImageArray:
        """A frame, uint8 (H, W, 3)."""
        ...

    def spill(self) -> FrameSpill:
        """A new place to put arrays aside."""
        ...

    def close(self) -> None:
        """Forget them."""
        ...


@dataclass(frozen=True)
class Interval:
    """Frames to fill and what is known beside them.

    Attributes:
        left: the labelled frame before the targets, None before the first label of a shot.
        right: the labelled frame after them, None after the last label of a shot; of a shot without labels
            both are None, and nothing is known.
        targets: indices of the frames to fill, ascending; frames that did not decode are not among them.
        frames: holds the targets and what lies between them.
        passed: indices of frames between the labels that are on the way to the targets and not filled.
        channels: of the objects of its labels in those of the video, where they are some of them only.
    """

    left: LabelledFrame | None
    right: LabelledFrame | None
    targets: list[int]
    frames: Frames
    passed: Sequence[int] = ()
    channels: Sequence[int] | None = None

    @property
    def labelled(self) -> list[LabelledFrame]:
        """The labelled frames beside the targets, one or two, in order."""
        return [known for known in (self.left, self.right) if known is not None]

    @property
    def known(self) -> LabelledFrame:
        """One of the labelled frames."""
        return self.labelled[0]

    @property
    def size(self) -> Size:
        """(H, W) of every frame."""
        rgb = self.known.rgb if self.labelled else self.frames.get(self.targets[0])
        return rgb.shape[0], rgb.shape[1]

    @cached_property
    def sequence(self) -> list[int]:
        """Indices of all frames, the labelled ones included."""
        before = [self.left.index] if self.left else []
        after = [self.right.index] if self.right else []
        return [*before, *sorted([*self.targets, *self.passed]), *after]

    @cached_property
    def present(self) -> list[bool]:
        """For each object whether one of the labels shows it."""
        shown = [known.labels.amax(dim=(0, 2, 3)) > 0 for known in self.labelled]
        return torch.stack(shown).any(dim=0).tolist()

    @cached_property
    def shown_twice(self) -> dict[int, int]:
        """Objects that both labels show -> pixels of the smaller one; none where there is one label only."""
        if len(self.labelled) < 2:
            return {}
        smaller = [min(areas) for areas in zip(*(known.areas for known in self.labelled), strict=True)]
        return {number: area for number, area in enumerate(smaller) if area}

    def rgb(self, index: int) -> ImageArray:
        """Any frame of the sequence, uint8 (H, W, 3)."""
        for known in self.labelled:
            if known.index == index:
                return known.rgb
        return self.frames.get(index)

    def image(self, index: int, box: Box) -> Tensor:
        """A box of a frame of the sequence, float32 (1, 3, h, w) in [0, 1], where the labels are."""
        return to_image(self.rgb(index), box, self.known.labels.device)

    @property
    def objects(self) -> Sequence[int]:
        """The channel of each of its objects in the labels of the video."""
        return range(self.known.labels.shape[1]) if self.channels is None else self.channels

    def only(self, objects: Sequence[int]) -> Interval:
        """The interval with some of its objects, by channel; itself with all of them."""
        if len(objects) == self.known.labels.shape[1]:
            return self
        left, right = (
            known and replace(known, labels=known.labels[:, list(objects)])
            for known in (self.left, self.right)
        )
        return replace(self, left=left, right=right, channels=[self.objects[each] for each in objects])

    def on(self, device: torch.device) -> Interval:
        """The interval with its labels on a device: where all that is made of them stays."""
        if self.known.labels.device == device:
            return self
        left, right = (
            known and replace(known, labels=known.labels.to(device)) for known in (self.left, self.right)
        )
        return replace(self, left=left, right=right)
