"""What moves in a generated clip, and how: camera, outline and pole as exact functions of time.

Lengths are in units of the frame's height; the origin of the world is where the camera looks at half time, x
right and y down. `phase` runs from 0 at the first frame to 1 at the last. Every map has its exact inverse, so
masks and flow are true by construction.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float32]
Points: TypeAlias = tuple[FloatArray, FloatArray]  # x, y


@dataclass(frozen=True)
class Pose:
    """A similarity: world = centre + rotation(angle) @ local * scale."""

    x: float
    y: float
    angle: float
    scale: float

    def to_world(self, points: Points) -> Points:
        """Local coordinates to world coordinates."""
        c, s = np.float32(math.cos(self.angle) * self.scale), np.float32(math.sin(self.angle) * self.scale)
        x, y = points
        return c * x - s * y + np.float32(self.x), s * x + c * y + np.float32(self.y)

    def to_local(self, points: Points) -> Points:
        """World coordinates to local coordinates."""
        c, s = np.float32(math.cos(self.angle) / self.scale), np.float32(math.sin(self.angle) / self.scale)
        x, y = points[0] - np.float32(self.x), points[1] - np.float32(self.y)
        return c * x + s * y, c * y - s * x


def camera(phase: float, parallax: float = 1.0) -> Pose:
    """Where the camera is: a pan with a slight zoom and roll.

    Args:
        phase: time in [0, 1].
        parallax: how far a layer at this depth moves, 1 for the background, more for nearer things.
    """
    return Pose(
        x=parallax * 0.45 * (phase - 0.5),
        y=parallax * 0.06 * math.sin(2 * math.pi * phase),
        angle=math.radians(2.5) * math.sin(math.pi * (1.4 * phase - 0.3)),
        scale=1 - 0.10 * phase,
    )


@dataclass(frozen=True)
class Star:
    """The object: a five-armed star whose arms breathe, lean and curl.

    In its own polar coordinates a material point (q, angle), q in [0, 1], lies at the radius
    q * outline(angle), turned by `curl` in proportion to that radius.

    Attributes:
        pose: place, rotation and size in the world.
        phase: time in [0, 1].
    """

    pose: Pose
    phase: float

    @property
    def curl(self) -> float:
        """How far the tips are turned against the centre, radians per unit of radius."""
        return 0.45 * math.sin(2 * math.pi * (1.6 * self.phase + 0.1))

    def outline(self, angle: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Radius of the outline at material angles, and its derivative."""
        radius, slope = np.ones_like(angle), np.zeros_like(angle)
        turn = 2 * math.pi * self.phase
        modes = (
            (5, 0.27 + 0.05 * math.sin(1.3 * turn), 0.0),
            (10, 0.03, 0.0),
            (2, 0.08 * math.sin(1.1 * turn + 0.4), 0.6),
            (3, 0.07 * math.sin(1.7 * turn), 1.9),
            (7, 0.04 * math.sin(2.3 * turn + 1.0), 0.5),
        )
        for order, amplitude, shift in modes:
            radius += np.float32(amplitude) * np.cos(order * angle + np.float32(shift))
            slope -= np.float32(amplitude * order) * np.sin(order * angle + np.float32(shift))
        return radius, slope

    def to_material(self, world: Points) -> tuple[Points, FloatArray]:
        """World points to material points.

        Returns:
            (q cos, q sin) of the material point, and the distance to the outline in units of length, positive
            inside (first order: exact on the outline, where it matters).
        """
        x, y = self.pose.to_local(world)
        rho: FloatArray = np.hypot(x, y)
        angle = np.arctan2(y, x) - np.float32(self.curl) * rho
        radius, slope = self.outline(angle)
        gradient = np.hypot(1 + slope * np.float32(self.curl), slope / np.maximum(rho, np.float32(1e-3)))
        q: FloatArray = rho / radius
        distance: FloatArray = (radius - rho) / gradient * np.float32(self.pose.scale)
        return (q * np.cos(angle), q * np.sin(angle)), distance

    def to_world(self, material: Points) -> Points:
        """Material points to world points."""
        angle = np.arctan2(material[1], material[0])
        rho = np.hypot(*material) * self.outline(angle)[0]
        angle = angle + np.float32(self.curl) * rho
        return self.pose.to_world((rho * np.cos(angle), rho * np.sin(angle)))


def star(phase: float) -> Star:
    """The object at a time: it crosses the view from left to right, rocking and turning."""
    return Star(
        pose=Pose(
            x=-0.58 + 1.12 * phase + 0.05 * math.sin(5 * phase),
            y=0.02 + 0.14 * math.sin(2 * math.pi * (0.8 * phase + 0.1)),
            angle=math.radians(-20 + 75 * phase + 10 * math.sin(2 * math.pi * phase)),
            scale=0.235 * (1 + 0.10 * math.sin(math.pi * phase)),
        ),
        phase=phase,
    )
