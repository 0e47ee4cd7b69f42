"""A frame that the user masked, and what is measured of its objects once for all that look at them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from vsodtool.ops.boxes import Box, bounding_boxes
from vsodtool.ops.labels.object_frame import ObjectFrame, object_frame
from vsodtool.ops.labels.specks import small_parts
from vsodtool.ops.labels.thin import thin_share
from vsodtool.types import ImageArray

_OBJECT = 0.5  # of a pixel that is an object's
_PART = 0.25  # of a pixel that is the object's as its parts are told: of 0 lines are too wide, of 1/2 broken


@dataclass(frozen=True)
class LabelledFrame:
    """A frame that the user masked.

    Attributes:
        index: of the frame in its video.
        name: of the frame.
        rgb: uint8 (H, W, 3).
        labels: one channel per object of the video (1, O, H, W), 0 or 1; of a reduced frame shares of pixels.
    """

    index: int
    name: str
    rgb: ImageArray
    labels: Tensor

    @cached_property
    def areas(self) -> list[int]:
        """Pixels of each object."""
        return self.labels.sum(dim=(0, 2, 3)).int().tolist()

    @cached_property
    def boxes(self) -> list[Box | None]:
        """Around each object; None where it is not."""
        return bounding_boxes(self.labels[0] > _OBJECT)

    @cached_property
    def object_frames(self) -> list[ObjectFrame | None]:
        """Of each object its frame of reference; None where it is not."""
        return [object_frame(label, (0, 0)) for label in self.labels[0]]

    @cached_property
    def small_parts(self) -> list[list[float]]:
        """Of each object, see `ops.specks`."""
        return [small_parts(mask > _PART) for mask in self.labels[0]]

    @cached_property
    def thin_shares(self) -> list[float]:
        """Of each object, see `ops.labels.thin`."""
        return [thin_share(mask > _PART) for mask in self.labels[0]]
