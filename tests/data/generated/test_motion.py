"""What moves in a generated clip: every map has its exact inverse."""

from __future__ import annotations

import numpy as np

from vsodtool.data.generated.motion import star


def test_star_coordinates_have_an_exact_inverse() -> None:
    rng = np.random.default_rng(0)
    for phase in (0.0, 0.3, 0.8, 1.0):
        thing = star(phase)
        x, y = (rng.uniform(-0.3, 0.3, (2, 500))).astype(np.float32)
        world = (x + np.float32(thing.pose.x), y + np.float32(thing.pose.y))
        material, distance = thing.to_material(world)
        back = thing.to_world(material)
        assert np.allclose(back, world, atol=2e-5)
        inside = np.hypot(*material) < 1
        assert np.array_equal(inside, distance > 0)


def test_distance_is_a_distance_near_the_outline() -> None:
    angles = np.linspace(-np.pi, np.pi, 400, dtype=np.float32)
    thing = star(0.4)
    outline = np.stack(thing.to_world((np.cos(angles), np.sin(angles))))
    points = outline + np.random.default_rng(0).normal(0, 0.004, outline.shape).astype(np.float32)
    dense = np.linspace(-np.pi, np.pi, 20000, dtype=np.float32)
    curve = np.stack(thing.to_world((np.cos(dense), np.sin(dense))))
    nearest = np.hypot(*(points[:, :, None] - curve[:, None, :])).min(axis=1)
    distance = np.abs(thing.to_material((points[0], points[1]))[1])
    assert np.allclose(distance, nearest, atol=1.5e-3)
