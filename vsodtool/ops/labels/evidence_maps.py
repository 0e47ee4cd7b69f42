"""What a learned densifier is told about one object of a frame: the order of the channels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vsodtool.types import Size

IMAGE = 3
SIDE = 9  # carried label, carried image, refined label, refined image, consistency
MAPS = IMAGE + 2 * SIDE + 1  # image, left side, right side, first guess
LEFT, RIGHT = slice(IMAGE, IMAGE + SIDE), slice(IMAGE + SIDE, IMAGE + 2 * SIDE)
GUESS = MAPS - 1
CELL = 8  # heights and widths of boxes are multiples of this: the pixels of a cell of the memory
COLOURS = (0, IMAGE + 1, IMAGE + 5, IMAGE + SIDE + 1, IMAGE + SIDE + 5)  # first channels of the five images


def evidence_maps(
    image: Tensor,
    sides: Sequence[tuple[Tensor, Tensor, Tensor]],
    guess: Tensor,
    *,
    size: Size | None = None,
) -> Tensor:
    """The maps of one object, (1, MAPS, h, w), all in [0, 1].

    Args:
        image: the frame (1, 3, h, w).
        sides: left and right; where one is known only, it stands for both. Each: the label, first carried
            here frame by frame, then warped here at once (2, 1, h, w), the labelled frame brought here alike
            (2, 3, h, w), the consistency (1, 1, h, w).
        guess: the label that the rules of `--method warp` give (1, 1, h, w).
        size: to which they are enlarged, the border repeated.
    """
    maps = [image]
    for labels, views, consistency in sides:
        maps += [labels[:1], views[:1], labels[1:], views[1:], consistency]
    maps.append(guess)
    height, width = guess.shape[-2:]
    if size is None or size == (height, width):
        return torch.cat(maps, dim=1)
    wide = guess.new_empty((1, MAPS, *size))  # once, and not first as they are
    torch.cat(maps, dim=1, out=wide[..., :height, :width])
    wide[..., :height, width:] = wide[..., :height, width - 1 : width]
    wide[..., height:, :] = wide[..., height - 1 : height, :]
    return wide


def claimed(maps: Tensor) -> Tensor:
    """The largest of all labels that came here and the first guess: (..., MAPS, h, w) -> (..., 1, h, w)."""
    labels = [channels.start + offset for channels in (LEFT, RIGHT) for offset in (0, 4)]
    return maps[..., [*labels, GUESS], :, :].amax(dim=-3, keepdim=True)


def swap_sides(maps: Tensor) -> Tensor:
    """What the maps (..., MAPS, h, w) were, had the video run backwards."""
    image, left, right, guess = torch.split(maps, [IMAGE, SIDE, SIDE, 1], dim=-3)
    return torch.cat((image, right, left, guess), dim=-3)
