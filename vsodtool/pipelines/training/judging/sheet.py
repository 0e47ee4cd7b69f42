"""The validation sheet of a training: frame, truth and what the network says, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from vsodtool.media.pictures.sheet import Layer, Row, draw_sheet
from vsodtool.pipelines.training.task import Target
from vsodtool.types import ImageArray

_TRUTH = (80, 200, 120)
_FOUND = (255, 170, 60)


@dataclass(frozen=True)
class SheetCell:
    """A frame of the sheet.

    Attributes:
        video: its video.
        frame: its name.
        image: uint8 (H, W, 3) RGB.
        truth: bool (H, W).
        probability: uint8 (H, W), 255 = certainly object.
    """

    video: str
    frame: str
    image: ImageArray
    truth: npt.NDArray[np.bool_]
    probability: npt.NDArray[np.uint8]


def sheet_cells(target: Target, probabilities: Tensor) -> list[SheetCell]:
    """The first frame of the first clip of a batch.

    Args:
        target: of the batch.
        probabilities: (T, B, 1, H, W), on the CPU.
    """
    image = target.images[0, 0].permute(1, 2, 0).cpu().numpy()
    truth = (target.labels[0, 0, 0] > 0.5).cpu().numpy()
    probability = (probabilities[0, 0, 0] * 255).round().byte().numpy()
    return [SheetCell(target.videos[0], target.frames[0][0], image, truth, probability)]


def validation_sheet(cells: Sequence[SheetCell]) -> ImageArray:
    """One row per frame: the frame, the truth over it, the probability, what is above a half over the frame.

    Args:
        cells: at least one.

    Returns:
        uint8 (H, W, 3) RGB.
    """
    rows = []
    for cell in cells:
        found = cell.probability > 127
        grey = np.repeat(cell.probability[..., None], 3, axis=2)
        pictures: list[tuple[ImageArray, list[Layer]]] = [
            (cell.image, []),
            (cell.image, [Layer(cell.truth, _TRUTH, 0.45, 1.5)]),
            (grey, []),
            (cell.image, [Layer(found, _FOUND, 0.45, 1.5)]),
        ]
        union = int((found | cell.truth).sum())
        j = int((found & cell.truth).sum()) / union if union else 1.0
        tags = ["frame", "truth", "probability", "above a half"]
        rows.append(Row(f"{cell.video} / {cell.frame}", f"J {j:.3f}", pictures, tags=tags))
    return draw_sheet(rows)
