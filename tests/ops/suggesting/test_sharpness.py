"""Sharpness falls with blur, and by hand."""

from __future__ import annotations

import cv2
import numpy as np

from vsodtool.ops.suggesting.sharpness import sharpness


def test_by_opencv() -> None:
    rgb = np.random.default_rng(3).integers(0, 256, (24, 31, 3)).astype(np.uint8)
    grey = rgb.astype(np.float64) @ [0.299, 0.587, 0.114]
    expected = cv2.Laplacian(grey, cv2.CV_64F, ksize=1)[1:-1, 1:-1].var()
    np.testing.assert_allclose(sharpness(rgb), expected, rtol=1e-4)


def test_blur_lowers_it() -> None:
    rgb = np.random.default_rng(4).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    values = [sharpness(rgb), *(sharpness(cv2.GaussianBlur(rgb, (0, 0), sigma)) for sigma in (0.7, 1.5, 3))]
    assert values == sorted(values, reverse=True)
    assert sharpness(np.full((9, 9, 3), 77, np.uint8)) < 1e-6
    assert sharpness(np.zeros((2, 9, 3), np.uint8)) == 0
