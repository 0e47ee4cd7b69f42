"""The frame of reference of an object: its centre is the origin, its size the unit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from vsodtool.ops.boxes import Box

SMALLEST = 16.0  # pixels; smaller objects are not worth a unit of their own


@dataclass(frozen=True)
class ObjectFrame:
    """Where an object is in its image.

    Attributes:
        row: of its centre, in pixels of the image, as `column`.
        column: see above.
        unit: the square root of its area, in pixels.
    """

    row: float
    column: float
    unit: float

    def positions(
        self, box: Box, step: float, count: int | None = None, *, device: torch.device | None = None
    ) -> Tensor:
        """The centres of the cells of a box, in this frame of reference.

        Args:
            box: of the image.
            step: side of a cell in pixels.
            count: of cells along each side; None for as many as fit.
            device: where they are wanted.

        Returns:
            float32 (1, 2, h, w): rows, then columns.
        """
        height, width = (int(length // step) if count is None else count for length in box.size)
        rows = (torch.arange(height, device=device) + 0.5) * step + (box.top - 0.5 - self.row)
        columns = (torch.arange(width, device=device) + 0.5) * step + (box.left - 0.5 - self.column)
        there = torch.meshgrid(rows / self.unit, columns / self.unit, indexing="ij")
        return torch.stack(there)[None]


def object_frame(label: Tensor, origin: tuple[int, int]) -> ObjectFrame | None:
    """That of a soft label (H, W) whose first pixel lies at `origin`; None where there is no object."""
    weights = torch.where(label > 0.5, label, 0.0)
    area = float(weights.sum())
    if area < 1:
        return None
    rows = torch.arange(label.shape[0], dtype=torch.float32, device=label.device)
    columns = torch.arange(label.shape[1], dtype=torch.float32, device=label.device)
    row = float((weights.sum(1) * rows).sum()) / area
    column = float((weights.sum(0) * columns).sum()) / area
    return ObjectFrame(row + origin[0], column + origin[1], max(area**0.5, SMALLEST))


def reference_frame(labels: Iterable[tuple[Tensor, tuple[int, int]]], box: Box) -> ObjectFrame:
    """That of the first label which shows the object; of a box where none does.

    Args:
        labels: soft labels (H, W) and the places of their first pixels, the best one first.
        box: where the object is looked for.
    """
    for label, origin in labels:
        found = object_frame(label, origin)
        if found is not None:
            return found
    height, width = box.size
    return ObjectFrame(box.top + height / 2, box.left + width / 2, max(height, width) / 2)
