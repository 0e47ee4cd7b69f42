"""Motion maps against flows whose camera motion is known in closed form."""

from __future__ import annotations

import torch
from torch import Tensor

from vsodtool.ops.motion.layout import CHANNELS, OFFSETS
from vsodtool.ops.motion.maps import (
    camera_motion,
    enlarge_maps,
    mirror_maps,
    motion_maps,
    no_motion,
    reverse_maps,
)

SIDE = 64
SIGNS = [1 if offset > 0 else -1 for offset in OFFSETS]


def plane(parameters: list[float], side: int = SIDE) -> Tensor:
    """The flow of a plane seen by a moving camera, (1, 2, side, side)."""
    a, b, c, d, e, f, g, h = parameters
    y, x = torch.meshgrid(torch.linspace(-1, 1, side), torch.linspace(-1, 1, side), indexing="ij")
    right = a + b * x + c * y + g * x * x + h * x * y
    down = d + e * x + f * y + g * x * y + h * y * y
    return torch.stack([right, down])[None]


CAMERA = [2.0, 0.5, -0.3, -1.0, 0.2, 0.4, 0.1, -0.2]


def with_object(flow: Tensor, velocity: tuple[float, float]) -> Tensor:
    """A square that moves by itself, off the middle."""
    moved = flow.clone()
    moved[..., 24:44, 8:28] += torch.tensor(velocity).view(1, 2, 1, 1)
    return moved


def test_the_motion_of_a_plane_is_found_exactly() -> None:
    flows = torch.cat([plane(CAMERA), plane([0] * 8), -plane(CAMERA)]) / SIDE
    torch.testing.assert_close(camera_motion(flows), flows, rtol=0, atol=1e-4)


def test_an_object_does_not_disturb_it() -> None:
    camera = plane(CAMERA) / SIDE
    found = camera_motion(with_object(camera, (4 / SIDE, 0)))
    assert (found - camera).abs().max() < 0.1 / SIDE


def test_the_object_stands_out_whatever_the_camera_does() -> None:
    still = motion_maps(with_object(torch.zeros(1, 2, SIDE, SIDE), (4, -2)), [1])
    panned = motion_maps(with_object(plane(CAMERA), (4, -2)), [1])
    assert still.shape == (3, SIDE // 2, SIDE // 2)
    torch.testing.assert_close(panned, still, rtol=0, atol=0.15)
    inside, outside = still[:, 14:20, 6:12], still[:, :10]
    assert inside[0].min() > 1
    assert inside[1].max() < -0.5
    assert inside[2].min() > 1
    assert outside.abs().max() < 0.1
    assert still[:2].abs().max() < 3


def test_velocities_point_the_same_way_to_both_sides() -> None:
    flow = with_object(torch.zeros(1, 2, SIDE, SIDE), (4, -2))
    there, back = motion_maps(flow, [1]), motion_maps(-flow, [-1])
    torch.testing.assert_close(there, back)


def test_rest_is_zero() -> None:
    assert motion_maps(torch.zeros(4, 2, SIDE, SIDE), SIGNS).abs().max() < 1e-6
    assert no_motion(SIDE).shape == (CHANNELS, SIDE // 2, SIDE // 2)
    assert not no_motion(SIDE).any()


def test_maps_of_the_mirrored_video() -> None:
    flows = torch.cat([with_object(plane(CAMERA), (sign * 4.0, -2)) for sign in (1, 2, 3, -1)])
    mirrored = flows.flip(-1) * torch.tensor([-1.0, 1.0]).view(1, 2, 1, 1)
    expected = mirror_maps(motion_maps(flows, SIGNS))
    torch.testing.assert_close(motion_maps(mirrored, SIGNS), expected, rtol=0, atol=2e-2)


def test_maps_of_the_video_backwards() -> None:
    flows = torch.cat([with_object(plane(CAMERA), (sign * 4.0, -2)) for sign in (1, 2, 3, -1)])
    # Backwards, what was the neighbour at -3 is the one at +3.
    backwards = motion_maps(flows.flip(0), SIGNS)
    torch.testing.assert_close(backwards, reverse_maps(motion_maps(flows, SIGNS)), rtol=0, atol=1e-5)


def test_enlarging_repeats() -> None:
    maps = torch.arange(8.0).view(1, 2, 2, 2)
    large = enlarge_maps(maps, 4)
    assert large.shape == (1, 2, 4, 4)
    assert torch.equal(torch.nn.functional.avg_pool2d(large, 2), maps)
