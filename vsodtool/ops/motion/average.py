"""Means over time along the motion: what a detector says of a frame, steadied by all frames around it.

A detector that sees a few frames at once flickers, and misses in one frame what it finds in the next. Two
passes over the frames, one each way, carry what was said along the optical flow with a memory that fades, so
that the cost does not grow with its reach.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vsodtool.ops.warp import sample
from vsodtool.ops.window_mean import window_mean

# Chosen on four videos of davis-train: benchmarks/TRIED.md, "Smoothing of predict".
FADING = 0.95  # weight of a neighbour; of what lies n frames away FADING^n
LIKENESS = 0.1  # difference of colour, of 1, at which a neighbour keeps 1/e of its weight


@dataclass(frozen=True)
class Link:
    """How two neighbouring frames see each other.

    Attributes:
        ahead: flow from the earlier to the later frame (1, 2, S, S), pixels.
        back: from the later to the earlier.
        later: weight of the later frame, seen from the earlier (1, 1, S, S) in [0, 1].
        earlier: weight of the earlier frame, seen from the later.
    """

    ahead: Tensor
    back: Tensor
    later: Tensor
    earlier: Tensor


def link(earlier: Tensor, later: Tensor, flows: Tensor) -> Link:
    """Look from two frames at each other.

    Args:
        earlier: (1, 3, S, S) in [0, 1].
        later: the next frame.
        flows: ahead and back (2, 2, S, S), pixels.

    Returns:
        Half precision: videos keep many of them.
    """
    seen = sample(torch.cat((later, earlier)), flows)
    difference = (seen - torch.cat((earlier, later))).abs_().mean(dim=1, keepdim=True)
    weights = FADING * torch.exp(-((window_mean(difference) / LIKENESS) ** 2))
    flows, weights = flows.half(), weights.half()
    return Link(flows[:1], flows[1:], weights[:1], weights[1:])


def average_along_motion(values: Sequence[Tensor], links: Sequence[Link]) -> list[Tensor]:
    """The weighted mean of each frame and all others, brought there by the motion.

    Args:
        values: of frames in order, (1, C, S, S) each.
        links: between each and the next, one fewer.

    Returns:
        As many as `values`, same shapes.
    """
    before = _fading(values, [(pair.back, pair.earlier) for pair in links])
    after = _fading(values[::-1], [(pair.ahead, pair.later) for pair in links[::-1]])
    return [
        # The frame itself is in both.
        (before_sum[:, :-1] + after_sum[:, :-1] - value) / (before_sum[:, -1:] + after_sum[:, -1:] - 1)
        for value, before_sum, after_sum in zip(values, before, after[::-1], strict=True)
    ]


def _fading(values: Sequence[Tensor], ways: Sequence[tuple[Tensor, Tensor]]) -> list[Tensor]:
    """Running sums in one direction: values and, as the last channel, their weights (1, C + 1, S, S).

    `ways` have the flow from each frame but the first to the one before it in this direction, and its weight.
    """
    sums = [torch.cat((value, torch.ones_like(value[:, :1])), dim=1) for value in values]
    for place, (flow, weight) in enumerate(ways, 1):
        sums[place] += weight.float() * sample(sums[place - 1], flow.float())
    return sums
