"""Pixels and ids come through as they are."""

from __future__ import annotations

import numpy as np
import torch

from vsodtool.ops.boxes import Box
from vsodtool.pipelines.densify.interval import (
    to_channels,
    to_image,
)


def test_a_channel_for_each_object() -> None:
    channels = to_channels(np.array([[0, 3], [7, 3]], np.uint16), (3, 7))
    assert channels.tolist() == [[[[0, 1], [0, 1]], [[0, 0], [1, 0]]]]


def test_a_box_of_a_picture_in_its_own_range() -> None:
    rgb = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    image = to_image(rgb, Box(top=1, left=2, bottom=3, right=5), torch.device("cpu"))
    assert (image.shape, image.dtype) == ((1, 3, 2, 3), torch.float32)
    assert torch.equal(
        (image[0].permute(1, 2, 0) * 255).round().to(torch.uint8), torch.from_numpy(rgb[1:3, 2:5])
    )
    assert to_image(np.full((1, 1, 3), 255, np.uint8), Box(0, 0, 1, 1), torch.device("cpu")).max() == 1
