"""The validation sheet: what is on it."""

from __future__ import annotations

import numpy as np
import torch

from vsodtool.pipelines.training.judging.sheet import SheetCell, sheet_cells, validation_sheet
from vsodtool.pipelines.training.task import Target


def test_a_cell_is_the_first_frame_of_the_first_clip() -> None:
    images = torch.arange(2 * 2 * 3 * 4 * 5, dtype=torch.uint8).view(2, 2, 3, 4, 5)
    labels = torch.zeros(2, 2, 1, 4, 5)
    labels[0, 0, 0, 1] = 1
    probabilities = torch.full((2, 2, 1, 4, 5), 0.25)
    names = [("a0", "a1"), ("b0", "b1")]
    (cell,) = sheet_cells(Target(labels, labels, images, ["a", "b"], names), probabilities)
    assert (cell.video, cell.frame) == ("a", "a0")
    assert np.array_equal(cell.image, images[0, 0].permute(1, 2, 0).numpy())
    assert cell.truth.sum() == 5
    assert np.unique(cell.probability).tolist() == [64]


def test_a_sheet_has_a_row_of_four_pictures_for_each_cell() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (64, 96, 3), dtype=np.uint8)
    truth = np.zeros((64, 96), np.bool_)
    truth[10:40, 20:60] = True
    cells = [
        SheetCell("v", str(number), image, truth, truth.astype(np.uint8) * np.uint8(255 * (number % 2)))
        for number in range(3)
    ]
    one, three = validation_sheet(cells[:1]), validation_sheet(cells)
    assert one.dtype == np.uint8
    assert one.shape[1] == three.shape[1] >= 4 * 96
    assert three.shape[0] > 2 * one.shape[0]
