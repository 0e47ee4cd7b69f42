"""Optical flow -> what a network sees of motion: velocities without the camera's share, in comparable units.

A flow field says little by itself: a panning camera moves everything, and a slow video has small vectors.
Here a motion of the camera is fitted to each flow and taken away, and what is left is measured in units of
its own spread.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.ops.motion.layout import MAPS, OFFSETS, REDUCED

_STEP = 4  # every so many pixels take part in the fit
_ROUNDS = 8
_FLOOR = 0.001  # of the spread, as a share of the side: a quarter of a pixel at 256, about DIS's own error
_WEAKEST = 0.002  # speed at which the logarithm begins
_LIMIT = 3.0  # spreads; beyond it velocities saturate


def motion_maps(flows: Tensor, signs: Sequence[int]) -> Tensor:
    """What a network sees of the motion of one frame.

    Args:
        flows: from the frame to each of K neighbours, float32 (K, 2, S, S) in pixels.
        signs: K times 1 or -1: whether the neighbour comes later (see `motion_layout.looks`).

    Returns:
        float32 (K * 3, S / 2, S / 2): for each neighbour the velocity to the right and down, in spreads and
        softly limited to +-3, and the logarithm of the speed, 0 at rest.
    """
    small = functional.avg_pool2d(flows, REDUCED) / flows.shape[-1]
    residual = small - camera_motion(small)
    energy = (residual**2).sum(1, keepdim=True)
    spread = energy.mean((-2, -1), keepdim=True).sqrt() + _FLOOR
    velocity = residual / spread * residual.new_tensor(signs).view(-1, 1, 1, 1)
    velocity = velocity / (1 + (velocity**2).sum(1, keepdim=True) / _LIMIT**2).sqrt()
    speed = torch.log2(1 + energy.sqrt() / _WEAKEST) / 2
    return torch.cat((velocity, speed), dim=1).flatten(0, 1)


def no_motion(side: int) -> Tensor:
    """The maps of a frame that has no neighbours, for images of `side`; all 0."""
    return torch.zeros(MAPS * len(OFFSETS), side // REDUCED, side // REDUCED)


def camera_motion(flows: Tensor) -> Tensor:
    """The flow that the camera alone would make: a plane seen by a moving camera.

    Eight parameters, u = a + bx + cy + gx² + hxy, v = d + ex + fy + gxy + hy², are fitted by iteratively
    reweighted least squares (Geman-McClure), so that things that move on their own count little. The first
    round trusts the border more than the middle, where the subject tends to be.

    Args:
        flows: (K, 2, h, w).

    Returns:
        The same shape.
    """
    height, width = flows.shape[-2:]
    down = torch.linspace(-1, 1, height, dtype=flows.dtype)[:, None].expand(height, width)
    right = torch.linspace(-1, 1, width, dtype=flows.dtype)[None].expand(height, width)
    basis = _basis(right, down)  # (2, h, w, 8)
    rows = basis[:, ::_STEP, ::_STEP].reshape(-1, 8)
    values = flows[..., ::_STEP, ::_STEP].reshape(len(flows), -1)
    distance = torch.maximum(right.abs(), down.abs())[::_STEP, ::_STEP].reshape(-1)
    weights = (0.1 + distance**2).expand(len(flows), -1)
    ridge = 1e-6 * torch.eye(8, dtype=flows.dtype)
    parameters = flows.new_zeros(len(flows), 8)
    for _ in range(_ROUNDS):
        both = weights.repeat(1, 2)
        weighted = both[..., None] * rows
        normal = weighted.transpose(1, 2) @ rows + ridge * both.sum(1)[:, None, None]
        parameters = torch.linalg.solve(normal, (weighted * values[..., None]).sum(1))
        error = (values - parameters @ rows.T).view(len(flows), 2, -1).square().sum(1)
        scale = error.median(1, keepdim=True).values + (_FLOOR / 4) ** 2
        weights = 1 / (1 + error / (4 * scale)) ** 2
    return torch.einsum("chwp,kp->kchw", basis, parameters)


def mirror_maps(maps: Tensor) -> Tensor:
    """Motion maps (..., C, h, w) of the pictures mirrored left and right."""
    return maps.flip(-1) * _signs(maps, (-1, 1, 1))


def reverse_maps(maps: Tensor) -> Tensor:
    """Motion maps (..., C, h, w) of the same frame in the video played backwards."""
    groups = maps.view(*maps.shape[:-3], len(OFFSETS), MAPS, *maps.shape[-2:])
    return groups.flip(-4).flatten(-4, -3) * _signs(maps, (-1, -1, 1))


def enlarge_maps(maps: Tensor, side: int) -> Tensor:
    """Maps (N, C, h, w) at the size of the images, for one tensor of input: every value repeated."""
    return functional.interpolate(maps, size=(side, side), mode="nearest")


def _signs(maps: Tensor, group: tuple[int, int, int]) -> Tensor:
    return maps.new_tensor(group * len(OFFSETS)).view(-1, 1, 1)


def _basis(right: Tensor, down: Tensor) -> Tensor:
    one, none = torch.ones_like(right), torch.zeros_like(right)
    across = [one, right, down, none, none, none, right * right, right * down]
    along = [none, none, none, one, right, down, right * down, down * down]
    return torch.stack([torch.stack(across, dim=-1), torch.stack(along, dim=-1)])
