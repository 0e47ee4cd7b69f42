"""Noise textures: coloured multi-octave noise on a torus, sampled anywhere without a seam."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float32]
Palette: TypeAlias = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Texture:
    """A colour image on a torus.

    Attributes:
        texels: float32 (rows, columns, 3), RGB in [0, 255].
        density: texels per unit of length.
    """

    texels: FloatArray
    density: float

    def sample(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Bilinear colours at positions (x right, y down) in units of length, any shape; wraps around.

        Returns:
            float32, the shape of `x` plus one axis of 3.
        """
        rows, columns = self.texels.shape[:2]
        u, v = x * np.float32(self.density), y * np.float32(self.density)
        left, top = np.floor(u), np.floor(v)
        fx, fy = (u - left)[..., None], (v - top)[..., None]
        x0, y0 = left.astype(np.intp) % columns, top.astype(np.intp) % rows
        x1, y1 = (x0 + 1) % columns, (y0 + 1) % rows
        upper = self.texels[y0, x0] * (1 - fx) + self.texels[y0, x1] * fx
        lower = self.texels[y1, x0] * (1 - fx) + self.texels[y1, x1] * fx
        colours: FloatArray = upper * (1 - fy) + lower * fy
        return colours


def noise(
    rng: np.random.Generator, size: tuple[int, int], cells: tuple[int, int], octaves: int, persistence: float
) -> FloatArray:
    """Multi-octave value noise on a torus, smooth (cubic B-spline) between its random grid values.

    Args:
        rng: source of the grid values; as many at every `size`, so a scene looks alike at all sizes.
        size: (rows, columns) of the result.
        cells: (rows, columns) of the coarsest grid; each octave doubles them.
        octaves: number of grids.
        persistence: weight of an octave relative to the coarser one.

    Returns:
        float32 (rows, columns) in [0, 1], every value about equally frequent at both ends of the range.
    """
    total = np.zeros(size, np.float32)
    for octave in range(octaves):
        grid = rng.standard_normal((cells[0] << octave, cells[1] << octave)).astype(np.float32)
        rows, columns = _spline_weights(size[0], grid.shape[0]), _spline_weights(size[1], grid.shape[1])
        total += persistence**octave * (rows @ grid @ columns.T)
    scaled: FloatArray = 0.5 + 0.5 * np.tanh((total - total.mean()) / (1.4 * total.std()))
    return scaled


def colour(values: FloatArray, palette: Palette) -> FloatArray:
    """Values in [0, 1] to float32 RGB in [0, 255], linear between the equally spaced colours of `palette`."""
    stops = np.linspace(0, 1, len(palette))
    channels = [np.interp(values, stops, [stop[c] for stop in palette]) for c in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def _spline_weights(size: int, cells: int) -> FloatArray:
    """(size, cells) matrix: the periodic cubic B-spline through `cells` knots, read at `size` places."""
    position = np.arange(size) * (cells / size)
    knot = np.floor(position).astype(np.intp)
    t = position - knot
    weights = np.zeros((size, cells), np.float32)
    basis = ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3)
    for offset, value in enumerate(basis, start=-1):
        np.add.at(weights, (np.arange(size), (knot + offset) % cells), value / 6)
    return weights
