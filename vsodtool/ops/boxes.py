"""Boxes of the image: work is done only where an object can be."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.types import Size


@dataclass(frozen=True)
class Box:
    """Rows [top, bottom) and columns [left, right) of an image, in pixels; never empty."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def size(self) -> Size:
        """(H, W) of the box."""
        return self.bottom - self.top, self.right - self.left

    @property
    def origin(self) -> tuple[int, int]:
        """(row, column) of its first pixel."""
        return self.top, self.left

    def union(self, other: Box) -> Box:
        """The smallest box that holds both."""
        return Box(
            min(self.top, other.top),
            min(self.left, other.left),
            max(self.bottom, other.bottom),
            max(self.right, other.right),
        )

    def meets(self, other: Box) -> bool:
        """Whether both have a pixel in common."""
        return (
            self.top < other.bottom
            and other.top < self.bottom
            and self.left < other.right
            and other.left < self.right
        )

    def within(self, other: Box) -> Box:
        """The part of it inside another box that it meets."""
        return Box(
            max(self.top, other.top),
            max(self.left, other.left),
            min(self.bottom, other.bottom),
            min(self.right, other.right),
        )

    def grow(self, margin: int, share: float, size: Size) -> Box:
        """The box with a border of `margin` pixels or `share` of its longer side, clipped to `size`."""
        border = max(margin, round(share * max(self.size)))
        return Box(
            max(self.top - border, 0),
            max(self.left - border, 0),
            min(self.bottom + border, size[0]),
            min(self.right + border, size[1]),
        )

    def scale(self, factor: int, size: Size) -> Box:
        """The box in an image `factor` times as large, clipped to its `size`."""
        return Box(
            min(self.top * factor, size[0] - 1),
            min(self.left * factor, size[1] - 1),
            min(self.bottom * factor, size[0]),
            min(self.right * factor, size[1]),
        )

    def align(self, step: int, size: Size) -> Box:
        """The box grown until its sides lie at multiples of `step`, clipped to `size`."""
        return Box(
            self.top - self.top % step,
            self.left - self.left % step,
            min(self.bottom + -self.bottom % step, size[0]),
            min(self.right + -self.right % step, size[1]),
        )

    def shift(self, rows: int, columns: int) -> Box:
        """The box moved down and right; it may leave the image."""
        return Box(self.top + rows, self.left + columns, self.bottom + rows, self.right + columns)

    def crop(self, image: Tensor) -> Tensor:
        """The part of an image (..., H, W) inside the box; a view."""
        return image[..., self.top : self.bottom, self.left : self.right]


def whole(size: Size) -> Box:
    """The box that is the whole image."""
    return Box(0, 0, size[0], size[1])


def bounding_box(values: Tensor, threshold: float) -> Box | None:
    """The smallest box around all values (..., H, W) above a threshold; None where there are none."""
    # The largest of numbers is found several times as fast as whether any of them, or of bools, is above.
    if not values.numel():
        return None
    values = values.view(torch.uint8) if values.dtype is torch.bool else values
    maps = values.reshape(-1, *values.shape[-2:])
    most = maps[0] if len(maps) == 1 else maps.amax(dim=0)
    rows = torch.nonzero(most.amax(dim=1) > threshold)
    if not len(rows):
        return None
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    columns = torch.nonzero(most[top:bottom].amax(dim=0) > threshold)
    return Box(top, int(columns[0]), bottom, int(columns[-1]) + 1)


def bounding_boxes(inside: Tensor) -> list[Box | None]:
    """The smallest box around each of several regions, bool (N, H, W); None around an empty one.

    The host waits once for all of them.
    """
    numbers = inside.view(torch.uint8)  # see `bounding_box`
    rows, columns = numbers.amax(dim=2), numbers.amax(dim=1)
    ends = [side.argmax(dim=1) for along in (rows, columns) for side in (along, along.flip(1))]
    height, width = inside.shape[1:]
    return [
        Box(top, left, height - bottom, width - right) if some else None
        for top, bottom, left, right, some in torch.stack([*ends, rows.amax(dim=1).long()], dim=1).tolist()
    ]


def rebox(values: Tensor, old: Box, new: Box, *, fill: float | None = None) -> Tensor:
    """Values (B, C, *old.size) on another box.

    Args:
        values: known inside `old`.
        old: where they are known.
        new: where they are wanted.
        fill: what stands outside `old`; None repeats the border.

    Returns:
        (B, C, *new.size); a view where nothing has to be filled.
    """
    top, left = max(new.top, old.top), max(new.left, old.left)
    bottom, right = min(new.bottom, old.bottom), min(new.right, old.right)
    if bottom <= top or right <= left:  # nothing in common: the nearest border, or the filling
        top = min(max(new.top, old.top), old.bottom - 1)
        left = min(max(new.left, old.left), old.right - 1)
        nearest = values[..., top - old.top : top - old.top + 1, left - old.left : left - old.left + 1]
        shape = (*values.shape[:-2], *new.size)
        return nearest.expand(shape) if fill is None else values.new_full(shape, fill)
    common = Box(top - old.top, left - old.left, bottom - old.top, right - old.left).crop(values)
    padding = (left - new.left, new.right - right, top - new.top, new.bottom - bottom)
    if not any(padding):
        return common
    if fill is None:
        return functional.pad(common, padding, mode="replicate")
    return functional.pad(common, padding, value=fill)


def resize_box(values: Tensor, old: Box, old_size: Size, new: Box, new_size: Size) -> Tensor:
    """Values (B, C, *old.size) known on a box of one image, on a box of the same image at another size.

    Bilinear between the centres of pixels, the border repeated; for larger images, as nothing is averaged.

    Args:
        values: known inside `old`.
        old: where they are known.
        old_size: (H, W) of the image.
        new: where they are wanted.
        new_size: (H, W) of the image at the other size.
    """
    places = []
    for first, last, begin, length, here, there in (
        (new.left, new.right, old.left, old.size[1], old_size[1], new_size[1]),
        (new.top, new.bottom, old.top, old.size[0], old_size[0], new_size[0]),
    ):
        centres = torch.arange(first, last, device=values.device, dtype=values.dtype) + 0.5
        places.append((centres * (here / there) - begin) * (2 / length) - 1)
    columns, rows = places
    grid = torch.stack((columns.expand(len(rows), -1), rows[:, None].expand(-1, len(columns))), dim=-1)
    return functional.grid_sample(
        values, grid.expand(len(values), -1, -1, -1), padding_mode="border", align_corners=False
    )


def paste(values: Tensor, box: Box, size: Size) -> Tensor:
    """Values (B, C, *box.size) in an image of `size`, zero elsewhere."""
    return rebox(values, box, whole(size), fill=0.0)
