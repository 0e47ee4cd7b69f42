from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vsodtool.data.clips.smooth_warp import STEEPEST, SmoothWarp, draw_waves, unit_grid


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 999),
    turn=st.floats(-0.5, 0.5),
    zoom=st.floats(0.7, 1.4),
    size=st.floats(0, 0.1),
)
def test_the_inverse_undoes_the_map(seed: int, turn: float, zoom: float, size: float) -> None:
    rng = np.random.default_rng(seed)
    c, s = zoom * math.cos(turn), zoom * math.sin(turn)
    warp = SmoothWarp(
        np.array([[c, -s], [s, c]]),
        rng.uniform(0, 1, 2),
        rng.uniform(-0.2, 0.2, 2),
        draw_waves(rng, 3, size, longest=0.8, shortest=0.3),
    )
    grid = unit_grid(24)
    assert (warp.invert(warp.apply(grid)) - grid).abs().max() < 1e-4
    assert (warp.apply(warp.invert(grid)) - grid).abs().max() < 1e-4


def test_an_affine_map_is_what_it_says() -> None:
    warp = SmoothWarp(np.array([[0.0, -2.0], [1.0, 0.0]]), np.array([0.5, 0.5]), np.array([0.1, 0.0]))
    points = torch.tensor([[[0.5, 0.7]], [[0.5, 0.5]]])  # (0.5, 0.5) and (0.7, 0.5)
    assert torch.allclose(warp.apply(points), torch.tensor([[[0.6, 0.6]], [[0.5, 0.7]]]))


@given(st.integers(0, 999))
def test_waves_are_no_larger_and_no_steeper_than_asked(seed: int) -> None:
    waves = draw_waves(np.random.default_rng(seed), 3, 0.05, longest=0.7, shortest=0.25)
    sizes = np.hypot(*waves.amplitudes.T)
    assert sizes.sum() <= 0.05 + 1e-9
    assert (2 * np.pi * sizes * np.hypot(*waves.frequencies.T)).sum() <= STEEPEST + 1e-9


def test_the_grid_holds_pixel_centres() -> None:
    grid = unit_grid(4)
    assert grid[0, 0].tolist() == pytest.approx([0.125, 0.375, 0.625, 0.875])
    assert torch.equal(grid[1], grid[0].T)
