"""Smooth, invertible maps of the plane: an affine map plus a few long waves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Matrix: TypeAlias = npt.NDArray[np.float64]

_STEPS = 12  # of the inversion; each shortens the error by at least STEEPEST
STEEPEST = 0.35  # largest slope of the waves; below 1 the map is one to one and the inversion converges


@dataclass(frozen=True)
class Waves:
    """A sum of sines: waves(x) = sum of amplitude * sin(2 pi frequency . x + phase).

    Attributes:
        amplitudes: (N, 2), displacement right and down.
        frequencies: (N, 2), in waves per unit of length.
        phases: (N,), radians.
    """

    amplitudes: npt.NDArray[np.float64]
    frequencies: npt.NDArray[np.float64]
    phases: npt.NDArray[np.float64]

    def at(self, points: Tensor) -> Tensor:
        """Displacements at points (2, H, W)."""
        total = torch.zeros_like(points)
        for amplitude, frequency, phase in zip(self.amplitudes, self.frequencies, self.phases, strict=True):
            turns = points[0] * float(frequency[0]) + points[1] * float(frequency[1])
            wave = torch.sin(turns.mul_(2 * math.pi).add_(float(phase)))
            total[0].add_(wave, alpha=float(amplitude[0]))
            total[1].add_(wave, alpha=float(amplitude[1]))
        return total

    def scaled(self, factors: npt.NDArray[np.float64]) -> Waves:
        """The same waves with other amplitudes: one factor for each."""
        return Waves(self.amplitudes * factors[:, None], self.frequencies, self.phases)


NO_WAVES = Waves(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0))


@dataclass(frozen=True)
class SmoothWarp:
    """x -> matrix (x - centre) + centre + shift + waves(x), on points (x right, y down).

    Attributes:
        matrix: (2, 2), invertible.
        centre: (2,), what the matrix leaves in place.
        shift: (2,).
        waves: of slope below 1 after the inverse matrix.
    """

    matrix: npt.NDArray[np.float64]
    centre: npt.NDArray[np.float64]
    shift: npt.NDArray[np.float64]
    waves: Waves = NO_WAVES

    def apply(self, points: Tensor) -> Tensor:
        """Points (2, H, W) -> where they go, the same shape."""
        moved = self._affine(self.matrix, points, self.centre, self.centre + self.shift)
        return moved + self.waves.at(points) if len(self.waves.phases) else moved

    def invert(self, points: Tensor) -> Tensor:
        """Points (2, H, W) -> where they came from, by a fixed-point iteration."""
        inverse: Matrix = np.linalg.inv(self.matrix).astype(np.float64)
        origin = self._affine(inverse, points, self.centre + self.shift, self.centre)
        if not len(self.waves.phases):
            return origin
        found = origin
        for _ in range(_STEPS):
            found = self._affine(
                inverse, points - self.waves.at(found), self.centre + self.shift, self.centre
            )
        return found

    @staticmethod
    def _affine(
        matrix: npt.NDArray[np.float64],
        points: Tensor,
        before: npt.NDArray[np.float64],
        after: npt.NDArray[np.float64],
    ) -> Tensor:
        offset = after - matrix @ before
        rows = [
            points[0] * float(row[0]) + points[1] * float(row[1]) + float(add)
            for row, add in zip(matrix, offset, strict=True)
        ]
        return torch.stack(rows)


def draw_waves(rng: np.random.Generator, number: int, size: float, longest: float, shortest: float) -> Waves:
    """Waves of random direction.

    Args:
        rng: source of chance.
        number: of waves.
        size: largest displacement of all together, in units of length; reduced where the slope would
            exceed STEEPEST.
        longest: wavelength.
        shortest: wavelength.
    """
    ways, turns, phases = rng.uniform(0, 2 * math.pi, (3, number))
    rates = 1 / rng.uniform(shortest, longest, number)
    amplitude = np.minimum(size, STEEPEST / (2 * math.pi * rates)) / max(number, 1)
    return Waves(
        amplitude[:, None] * np.stack([np.cos(ways), np.sin(ways)], axis=1),
        rates[:, None] * np.stack([np.cos(turns), np.sin(turns)], axis=1),
        phases,
    )


def unit_grid(side: int) -> Tensor:
    """Centres of the pixels of a square picture in units of its side: (2, side, side), x right and y down."""
    places = (torch.arange(side) + 0.5) / side
    return torch.stack([places.expand(side, side), places[:, None].expand(side, side)])
