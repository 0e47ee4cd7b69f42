from __future__ import annotations

import cv2
import numpy as np
import torch

from vsodtool.models.flow.luma import luma


def test_it_is_opencvs_grey() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    images = torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255
    expected = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    whole, exact = luma(images, whole=True)[0], luma(images)[0]
    assert whole.dtype == np.uint8
    assert exact.dtype == np.float32
    assert np.abs(whole.astype(int) - expected.astype(int)).max() <= 1
    assert np.abs(exact - expected).max() < 0.51


def test_white_is_white() -> None:
    assert luma(torch.ones(1, 3, 2, 2), whole=True)[0].min() == 255
    assert abs(luma(torch.ones(1, 3, 2, 2))[0] - 255).max() < 1e-4
