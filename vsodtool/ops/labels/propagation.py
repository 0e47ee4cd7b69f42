"""Labels carried from frame to frame along adjacent flows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vsodtool.ops.boxes import Box, rebox
from vsodtool.ops.warp import sample_all

SIGMA = 1.5  # pixels; the figure of the first prototype, never varied since


@dataclass(frozen=True)
class Carried:
    """What one labelled frame says about another one, on a box of it.

    Attributes:
        box: where.
        labels: soft labels (1, O, h, w) in [0, 1], one channel per object.
        consistency: product of the round-trip consistencies on the way (1, 1, h, w) in [0, 1].
        flow: from this frame to the labelled one, composed of the adjacent flows (1, 2, h, w), pixels.
    """

    box: Box
    labels: Tensor
    consistency: Tensor
    flow: Tensor

    def on(self, box: Box) -> Carried:
        """The same on another box: no label outside, the border's motion, full consistency."""
        if box == self.box:
            return self
        return Carried(
            box,
            rebox(self.labels, self.box, box, fill=0.0),
            rebox(self.consistency, self.box, box, fill=1.0),
            rebox(self.flow, self.box, box),
        )


def start(labels: Tensor, box: Box) -> Carried:
    """What a labelled frame says about itself.

    Args:
        labels: (1, O, H, W) in [0, 1], of the whole frame.
        box: where it is wanted.
    """
    inside = box.crop(labels)
    blank = torch.zeros_like(inside[:, :1])
    return Carried(box, inside, blank + 1, torch.cat((blank, blank), dim=1))


def carry(carried: Carried, flow_here_to_there: Tensor, flow_there_to_here: Tensor, box: Box) -> Carried:
    """One frame further away from the label.

    Carrying the labels themselves, frame by frame, blurs them a little and recovers from single bad flows,
    where the composed flow keeps them sharp and keeps every error; both are kept (data/baseline.md).

    Args:
        carried: at `there`, the frame nearer to the label.
        flow_here_to_there: on `box` (1, 2, h, w), pixels.
        flow_there_to_here: on `box`.
        box: of both flows.
    """
    there = carried.on(box)
    known = (there.labels, there.consistency, there.flow, flow_there_to_here)
    labels, consistency, flow, back = sample_all(known, flow_here_to_there)
    trust = closeness(back.add_(flow_here_to_there))
    # A view of all that was sampled would keep all of it for as long as the labels.
    return Carried(box, labels.clone(), trust.mul_(consistency), flow + flow_here_to_there)


def closeness(miss: Tensor, *, sigma: float = SIGMA) -> Tensor:
    """How far flow there and flow back agree: the cheapest sign that a flow is right.

    Args:
        miss: how far each pixel lands from itself after going there and back (B, 2, H, W) in pixels.
        sigma: in pixels.

    Returns:
        exp(-|miss|^2 / 2 sigma^2), (B, 1, H, W) in (0, 1].
    """
    right, down = miss[:, :1], miss[:, 1:]
    return right.square().addcmul_(down, down).div_(-2 * sigma * sigma).exp_()
