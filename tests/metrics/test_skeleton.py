"""Skeletons: those of scikit-image."""

from __future__ import annotations

import warnings
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vsodtool.metrics.skeleton import skeleton

Mask = npt.NDArray[np.bool_]


@pytest.fixture(scope="module")
def skeletonize() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of scikit-image about itself
        return pytest.importorskip("skimage.morphology", reason="needs scikit-image").skeletonize


@given(hnp.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)), fill=st.just(True)))
@settings(max_examples=200, deadline=None)
def test_equals_scikit_image_on_any_small_mask(skeletonize: Any, mask: Mask) -> None:
    assert np.array_equal(skeleton(mask), skeletonize(mask))


def test_equals_scikit_image_on_every_neighbourhood(skeletonize: Any) -> None:
    """All 3 x 3 masks, each alone and with a rim that delays it."""
    tiles = (np.arange(512)[:, None] >> np.arange(9) & 1).reshape(512, 3, 3).astype(bool)
    for tile in tiles:
        for mask in (tile, np.kron(tile, np.ones((3, 3), bool)), np.pad(tile, 2, constant_values=True)):
            assert np.array_equal(skeleton(mask), skeletonize(mask))


def test_equals_scikit_image_on_blobs(skeletonize: Any) -> None:
    rng = np.random.default_rng(8)
    for sigma in (1.0, 3.0, 8.0):
        noise = cv2.GaussianBlur(rng.random((120, 90)), (0, 0), sigma)
        for quantile in (0.2, 0.5, 0.8):
            mask = np.asarray(noise > np.quantile(noise, quantile))
            assert np.array_equal(skeleton(mask), skeletonize(mask))


def test_a_bar_becomes_a_line_and_the_mask_stays() -> None:
    mask = np.zeros((9, 30), bool)
    mask[3:6, 4:26] = True
    before = mask.copy()
    line = skeleton(mask)
    assert np.array_equal(np.flatnonzero(line[:, 8:22].any(axis=1)), [4])  # beyond, a tail into a corner
    assert not (line & ~mask).any()
    assert np.array_equal(mask, before)
    assert not skeleton(np.zeros((3, 3), bool)).any()
