"""Frames to squares and back, against Pillow's antialiased bilinear resize."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from vsodtool.ops.network_image import to_frame_size, to_network_image


def test_a_frame_that_fits_is_not_touched() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert np.array_equal(to_network_image(rgb, 64).permute(1, 2, 0).numpy(), rgb)


def test_resizing_is_that_of_image_libraries() -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (120, 213, 3), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(rgb).resize((64, 64), Image.Resampling.BILINEAR))
    found = to_network_image(rgb, 64).permute(1, 2, 0).numpy()
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_maps_come_back_in_the_size_of_the_frame() -> None:
    ramp = torch.linspace(0, 1, 64).view(1, 1, 1, 64).expand(1, 1, 64, 64)
    back = to_frame_size(ramp, (30, 90))
    assert back.shape == (1, 1, 30, 90)
    assert 0 <= back.min() <= back.max() <= 1
    assert bool((back.diff(dim=-1) >= 0).all())
    assert to_frame_size(ramp, (64, 64)) is ramp
