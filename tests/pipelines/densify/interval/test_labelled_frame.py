"""What is measured of the objects of a mask."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vsodtool.ops.boxes import Box
from vsodtool.pipelines.densify.interval import LabelledFrame


def frame(labels: torch.Tensor) -> LabelledFrame:
    return LabelledFrame(0, "0", np.zeros((*labels.shape[-2:], 3), np.uint8), labels)


def test_areas_and_boxes_of_each_object() -> None:
    labels = torch.zeros(1, 3, 6, 8)
    labels[0, 0, 1:4, 2:7] = 1
    labels[0, 2, 5, 0] = 1
    known = frame(labels)
    assert known.areas == [15, 0, 1]
    assert known.boxes == [Box(1, 2, 4, 7), None, Box(5, 0, 6, 1)]
    assert [each is None for each in known.object_frames] == [False, True, False]


def test_of_a_reduced_mask_a_thin_line_is_no_object_but_joins_its_parts() -> None:
    labels = torch.zeros(1, 1, 14, 20)
    labels[0, 0, 2:12, 2:12] = 1
    labels[0, 0, 6, 12:15] = 0.4  # of each of its pixels
    labels[0, 0, 6, 15] = 1
    known = frame(labels)
    assert known.boxes == [Box(2, 2, 12, 16)]
    assert known.small_parts == [[]]
    assert frame((labels > 0.5).float()).small_parts == [[pytest.approx(1 / 101)]]
    labels[0, 0, 6, 12:] = 0.4
    assert frame(labels).boxes == [Box(2, 2, 12, 12)]
