"""Noise textures on a torus."""

from __future__ import annotations

import numpy as np
import pytest

from vsodtool.data.generated.texture import Texture, colour, noise

PALETTE = ((0.0, 0.0, 0.0), (100.0, 50.0, 0.0), (200.0, 0.0, 255.0))


def test_noise_fills_its_range_and_has_no_seam() -> None:
    values = noise(np.random.default_rng(0), (96, 128), (4, 4), 3, 0.5)
    assert values.shape == (96, 128)
    assert values.dtype == np.float32
    assert 0 <= values.min() < 0.1
    assert 0.9 < values.max() <= 1
    steps = np.abs(np.diff(values, axis=1)).max()
    seam = np.abs(values[:, 0] - values[:, -1]).max()
    assert seam <= 1.5 * steps


def test_the_same_scene_at_twice_the_size_looks_alike() -> None:
    small, large = (noise(np.random.default_rng(1), (n, n), (4, 4), 2, 0.5) for n in (64, 128))
    np.testing.assert_allclose(large[::2, ::2], small, atol=0.02)


def test_colours_lie_on_the_line_between_those_of_the_palette() -> None:
    values = np.array([[0.0, 0.25, 0.5, 1.0]], np.float32)
    expected = [[0, 0, 0], [50, 25, 0], [100, 50, 0], [200, 0, 255]]
    np.testing.assert_allclose(colour(values, PALETTE)[0], expected)


def test_a_texture_is_bilinear_and_wraps_around() -> None:
    texels = np.random.default_rng(2).random((4, 6, 3), np.float32) * 255
    texture = Texture(texels, density=2.0)
    rows, columns = np.mgrid[:4, :6].astype(np.float32)
    np.testing.assert_allclose(texture.sample(columns / 2, rows / 2), texels)
    np.testing.assert_allclose(texture.sample(columns / 2 + 3, rows / 2 - 2), texels, rtol=1e-5)
    half = texture.sample(np.array([0.25], np.float32), np.array([0.0], np.float32))
    np.testing.assert_allclose(half[0], (texels[0, 0] + texels[0, 1]) / 2, rtol=1e-6)
    last = texture.sample(np.array([5.5 / 2], np.float32), np.array([0.0], np.float32))
    np.testing.assert_allclose(last[0], (texels[0, 5] + texels[0, 0]) / 2, rtol=1e-6)


@pytest.mark.parametrize("octaves", [1, 4])
def test_more_octaves_are_finer(octaves: int) -> None:
    values = noise(np.random.default_rng(3), (128, 128), (4, 4), octaves, 0.9)
    roughness = np.abs(np.diff(values, axis=0)).mean() / values.std()
    assert (roughness > 0.1) == (octaves == 4)
