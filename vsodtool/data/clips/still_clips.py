"""Still images of a data set -> clips of made motion, cropped and varied like real ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vsodtool.data.augmentation import Augmentation, Look
from vsodtool.data.clips.still_motion import MovedClip, StillMotion, move_still
from vsodtool.data.sources.labelled import LabelledFrame, LabelledVideo
from vsodtool.media.crops import WHOLE, Box, crop_map, read_crop, read_label

ROOM = 0.05  # on every side of what is shown, so that motion does not at once lead out of the picture
_LARGEST = 1.75  # the picture is read at up to so many times the side of the result


class StillClip(NamedTuple):
    """A clip made from one image, ready for a batch.

    Attributes:
        images: uint8 (T, 3, S, S).
        labels: float32 (T, 1, S, S) in [0, 1].
        moved: the same before it was mirrored and coloured, with its exact flow.
        look: what was done to it since.
    """

    images: Tensor
    labels: Tensor
    moved: MovedClip
    look: Look

    def flow(self, a: int, b: int) -> Tensor:
        """The exact flow from frame a to frame b, float32 (1, 2, S, S), mirrored like the frames."""
        flow = self.look.mirror(self.moved.flow(a, b))
        return flow * flow.new_tensor([-1.0 if self.look.flip else 1.0, 1.0]).view(1, 2, 1, 1)


def make_still_clip(
    video: LabelledVideo,
    frame: LabelledFrame,
    *,
    ages: Sequence[float],
    side: int,
    motion: StillMotion,
    augmentation: Augmentation | None,
    rng: np.random.Generator,
) -> StillClip:
    """A clip of T frames from one image.

    Args:
        video: the set of images.
        frame: one of them.
        ages: T times in frames; at age 0 the image is as it is.
        side: S.
        motion: how strongly things move.
        augmentation: None shows the whole image, but for a narrow border.
        rng: source of chance.

    Raises:
        DataError: a file cannot be read any more.
    """
    salient = read_label(frame.mask, video.encoding)
    box, look = WHOLE, Look()
    if augmentation is not None:
        box, look = augmentation.draw_box(rng, salient), augmentation.draw_look(rng)
    height, width = (1 - 2 * ROOM) * box.height, (1 - 2 * ROOM) * box.width
    shown = Box(box.top + ROOM * box.height, box.left + ROOM * box.width, height, width)
    size = round(min(side / min(height, width), _LARGEST * side))
    picture = (
        torch.from_numpy(read_crop(frame.image, frame.size, WHOLE, size, frame.levels))
        .permute(2, 0, 1)
        .float()
        / 255
    )
    label = torch.from_numpy(crop_map(salient, WHOLE, size))[None]
    moved = move_still(picture, label, ages=ages, side=side, box=shown, motion=motion, rng=rng)
    images = (moved.images * 255 + 0.5).to(torch.uint8)
    return StillClip(look.apply(images).contiguous(), look.mirror(moved.labels).contiguous(), moved, look)
