"""The answer for one frame, in the frame's own size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from vsodtool.ops.boxes import Box, paste
from vsodtool.ops.confidence import owners
from vsodtool.pipelines.densify.method import Generated
from vsodtool.types import LabelArray, Size


@dataclass(frozen=True)
class DenseFrame:
    """The soft label of one target frame, in the frame's own size.

    Attributes:
        index: of the frame.
        labels: (1, O, H, W) in [0, 1].
        confidence: of the pixels (1, 1, H, W) in [0, 1].
        certainty: what the J of the frame is expected from (1, 1, H, W) in [0, 1].
        box: all labels and all doubt lie inside.
    """

    index: int
    labels: Tensor
    confidence: Tensor
    certainty: Tensor
    box: Box

    def ids(self, object_ids: Sequence[int]) -> LabelArray:
        """The id of the winner at each pixel, uint16 (H, W), 0 = background; `object_ids` by channel."""
        box = self.box
        found: LabelArray = np.zeros(self.labels.shape[-2:], np.uint16)
        named = np.array([0, *object_ids], np.uint16)
        found[box.top : box.bottom, box.left : box.right] = named[owners(box.crop(self.labels))[0, 0].numpy()]
        return found


def in_frame(index: int, generated: Generated, box: Box, size: Size) -> DenseFrame:
    """What was generated on a box, in a frame of `size`."""
    labels = paste(generated.labels, box, size)
    # Outside the box there is nothing to doubt.
    confidence, certainty = (
        1 - paste(1 - sure, box, size) for sure in (generated.confidence, generated.certainty)
    )
    return DenseFrame(index, labels, confidence, certainty, box)
