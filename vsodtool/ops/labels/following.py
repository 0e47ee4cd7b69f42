"""Where is a thing that flow lost? Its picture is looked for around the place where it should be.

Flow follows what is large and has texture. A ball of a few pixels or a thin line moves unlike its
surroundings and is not followed; but its own pixels tell where it went.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vsodtool.ops.boxes import Box

_PIXELS = 192  # of a thing, or around it, that are compared
_RING = 2  # pixels around a thing that should not look like it
_CONTRAST = 0.5  # what the ring counts beside the thing itself
_ELONGATED = 4.0  # ratio of the principal moments from which on a thing has a direction
_REACH, _SHARE, _FURTHEST = 8, 0.4, 48  # search: pixels, of the way between the labels, at most
_FAR = 10 / 255  # what the edge of the search costs


@dataclass(frozen=True)
class Shape:
    """A thing in a labelled frame.

    Attributes:
        rows: of its pixels (N,).
        columns: of its pixels (N,).
        row: of its centre, as `column`.
        column: see above.
        angle: of its longer axis, in [0, pi); None if it is round.
    """

    rows: Tensor
    columns: Tensor
    row: float
    column: float
    angle: float | None


def shape_of(label: Tensor) -> Shape:
    """The shape of a label (H, W), True somewhere."""
    rows, columns = (places.float() for places in label.nonzero(as_tuple=True))
    row, column = float(rows.mean()), float(columns.mean())
    down, right = rows - row, columns - column
    a, b, c = (float((x * y).mean()) for x, y in ((right, right), (right, down), (down, down)))
    root = math.hypot((a - c) / 2, b)
    large, small = (a + c) / 2 + root, (a + c) / 2 - root
    angle = math.atan2(2 * b, a - c) / 2 % math.pi if large > _ELONGATED * max(small, 0.25) else None
    return Shape(rows, columns, row, column, angle)


@dataclass(frozen=True)
class Found:
    """A thing found again.

    Attributes:
        rows: of its pixels, inside the image (N,) int64.
        columns: of its pixels.
        difference: mean difference of colour to what it looked like, in [0, 1].
        contrast: that of the pixels around it.
    """

    rows: Tensor
    columns: Tensor
    difference: float
    contrast: float


def follow(
    image: Tensor, views: tuple[Tensor, Tensor], shapes: tuple[Shape, Shape], share: float
) -> Found | None:
    """Look for a thing between two labels.

    It is expected on the straight way between them, turned by its share of the turn. From there on the place
    is searched at which its pixels look most as they did, and those around it least.

    Args:
        image: the target frame (1, 3, H, W) in [0, 1].
        views: the two labelled frames (1, 3, H, W), in the same light.
        shapes: the thing in both.
        share: of the way from the first to the second, in (0, 1).

    Returns:
        None where it would be outside the image.
    """
    near = 0 if share <= 0.5 else 1
    shape, view = shapes[near], views[near]
    turn = _turn(shapes[0].angle, shapes[1].angle)
    angle = share * turn if near == 0 else (share - 1) * turn
    row, column = (
        (1 - share) * first + share * last
        for first, last in ((shapes[0].row, shapes[1].row), (shapes[0].column, shapes[1].column))
    )
    away = math.hypot(shapes[1].row - shapes[0].row, shapes[1].column - shapes[0].column)
    reach = min(round(_REACH + _SHARE * away), _FURTHEST)
    # Pixels are moved by whole ones, so that thin things stay as thin.
    rows, columns = _turned(shape, angle, round(row - shape.row), round(column - shape.column))
    inside = _some(torch.arange(len(rows), device=rows.device))
    looks = view[0][:, shape.rows.long()[inside], shape.columns.long()[inside]]
    ring_rows, ring_columns = _ring(rows, columns)
    costs = _differences(image, rows[inside], columns[inside], looks, reach)
    colour = looks.median(dim=1, keepdim=True).values
    apart = _differences(image, ring_rows, ring_columns, colour.expand(-1, len(ring_rows)), reach)
    along = torch.arange(-reach, reach + 1, device=image.device)
    distance = torch.hypot(along[:, None].float(), along[None].float()) / reach
    total = costs - _CONTRAST * apart.clamp_max(0.25) + _FAR * distance.square()
    best = int(total.argmin())
    down, right = best // len(along) - reach, best % len(along) - reach
    rows, columns = rows + down, columns + right
    visible = (rows >= 0) & (rows < image.shape[-2]) & (columns >= 0) & (columns < image.shape[-1])
    if not bool(visible.any()):
        return None
    return Found(
        rows[visible],
        columns[visible],
        float(costs.flatten()[best]),
        float(apart.flatten()[best]),
    )


def box_of(found: Found) -> Box:
    """The smallest box around what was found."""
    return Box(
        int(found.rows.min()),
        int(found.columns.min()),
        int(found.rows.max()) + 1,
        int(found.columns.max()) + 1,
    )


def _turn(first: float | None, last: float | None) -> float:
    """From one direction to another, the shorter way round, in (-pi / 2, pi / 2]."""
    if first is None or last is None:
        return 0.0
    turn = (last - first) % math.pi
    return turn - math.pi if turn > math.pi / 2 else turn


def _turned(shape: Shape, angle: float, down: int, right: int) -> tuple[Tensor, Tensor]:
    """The pixels of a shape, turned about its centre and moved, int64."""
    if angle == 0:
        return shape.rows.long() + down, shape.columns.long() + right
    y, x = shape.rows - shape.row, shape.columns - shape.column
    rows = math.cos(angle) * y + math.sin(angle) * x
    columns = math.cos(angle) * x - math.sin(angle) * y
    return (rows + shape.row + down).round().long(), (columns + shape.column + right).round().long()


def _ring(rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """Pixels around a thing, not its own."""
    top, left = int(rows.min()) - _RING, int(columns.min()) - _RING
    inside = torch.zeros(
        int(rows.max()) - top + _RING + 1, int(columns.max()) - left + _RING + 1, device=rows.device
    )
    inside[rows - top, columns - left] = 1
    window = 2 * _RING + 1
    near = torch.nn.functional.max_pool2d(inside[None, None], window, 1, _RING)[0, 0]
    ring_rows, ring_columns = ((near > 0) & (inside == 0)).nonzero(as_tuple=True)
    some = _some(torch.arange(len(ring_rows), device=rows.device))
    return ring_rows[some] + top, ring_columns[some] + left


def _some(places: Tensor) -> Tensor:
    """At most _PIXELS of them, evenly spread."""
    return places[:: -(-len(places) // _PIXELS)]


def _differences(image: Tensor, rows: Tensor, columns: Tensor, colours: Tensor, reach: int) -> Tensor:
    """Mean difference between colours (3, N) and the image, at their places moved by up to `reach` pixels.

    Returns:
        (2 reach + 1, 2 reach + 1) in [0, 1]; places outside the image count as those of its border.
    """
    height, width = image.shape[-2:]
    along = torch.arange(-reach, reach + 1, device=image.device)
    total = image.new_zeros(len(along), len(along))
    for number in range(len(rows)):
        down = (rows[number] + along).clamp(0, height - 1)
        right = (columns[number] + along).clamp(0, width - 1)
        seen = image[0][:, down][:, :, right]
        total += (seen - colours[:, number, None, None]).abs_().amax(dim=0)
    return total / max(len(rows), 1)
