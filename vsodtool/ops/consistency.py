"""How far flow there and flow back agree: the cheapest sign that a flow is right."""

from __future__ import annotations

import torch
from torch import Tensor

from vsodtool.ops.warp import sample

SIGMA = 1.5  # pixels; the figure of the first prototype, never varied since


def round_trip_consistency(flow_a_to_b: Tensor, flow_b_to_a: Tensor, *, sigma: float = SIGMA) -> Tensor:
    """exp(-|d|^2 / 2 sigma^2), where d is how far a pixel of a lands from itself after going to b and back.

    Args:
        flow_a_to_b: (B, 2, H, W) in pixels.
        flow_b_to_a: (B, 2, H, W) in pixels.
        sigma: in pixels.

    Returns:
        (B, 1, H, W) in (0, 1]. A pixel that leaves the image is judged by the border's flow.
    """
    return closeness(flow_a_to_b + sample(flow_b_to_a, flow_a_to_b), sigma=sigma)


def closeness(miss: Tensor, *, sigma: float = SIGMA) -> Tensor:
    """exp(-|d|^2 / 2 sigma^2) of vectors d (B, 2, H, W) in pixels -> (B, 1, H, W) in (0, 1]."""
    return torch.exp(miss.square().sum(dim=1, keepdim=True) / (-2 * sigma * sigma))
