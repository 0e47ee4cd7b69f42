"""Objects tracked to a frame from the labels on both sides of it: one soft label, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.ops.confidence import backing, owners
from vsodtool.types import Size

CERTAIN = 10.0  # logit of what is given: that which SAM 2 takes a mask for (Ravi et al., arXiv 2408.00714)
ABSENT = -1024.0  # logit of an object that is not there, in SAM 2


class Direction(NamedTuple):
    """What a tracker says that came from one labelled frame.

    Attributes:
        logits: of each object, before the sigmoid (O, 1, h, w); at any size.
        scores: of each object, the logit of its being in the frame (O, 1).
        distance: of the labelled frame, in frames, at least 1.
    """

    logits: Tensor
    scores: Tensor
    distance: int


def combine(directions: Sequence[Direction], size: Size) -> tuple[Tensor, Tensor]:
    """One label out of one or two directions.

    Convention: logits x are resized as SAM 2 does it (bilinear, align_corners=False) and bent to within
    CERTAIN, c tanh(x / c), so that none outvotes the other by being surer than sure. Their mean counts, each
    direction weighted by one over its distance: close to a label its direction decides, in the middle both
    count the same. An object that a direction says is not there has the logit -CERTAIN in it. The objects and
    a background of logit 0 compete by softmax, so of one direction the winners are those of SAM 2: the object
    of the largest logit, if that is above 0.

    Args:
        directions: one or two, of the same objects.
        size: (H, W) of the frame.

    Returns:
        Labels (1, O, H, W) in [0, 1], and what their clearness is worth (1, 1, H, W) in [0, 1]: the
        probability that each direction gives to the winner, times that of the object being there at all,
        averaged with the same weights.
    """
    near = [1 / each.distance for each in directions]
    weights = [value / sum(near) for value in near]
    held = [_resized(each.logits, size) for each in directions]
    labels = _compete(sum_of(weights, held))
    winner = owners(labels).long()
    parts = []
    for direction, logits in zip(directions, held, strict=True):
        there = functional.pad(direction.scores[:, 0].float().sigmoid(), (1, 0), value=1.0)  # background
        parts.append(backing(labels, _compete(logits)) * there[winner])
    return labels, sum_of(weights, parts)


def sum_of(weights: Sequence[float], parts: Sequence[Tensor]) -> Tensor:
    """The weighted sum of tensors of one shape."""
    total = parts[0] * weights[0]
    for weight, part in zip(weights[1:], parts[1:], strict=True):
        total = total + part * weight
    return total


def _resized(logits: Tensor, size: Size) -> Tensor:
    """(O, 1, h, w) -> (1, O, H, W), within CERTAIN; order and signs stay."""
    resized = functional.interpolate(logits.float(), size=size, mode="bilinear", align_corners=False)
    return CERTAIN * torch.tanh(resized[:, 0][None] / CERTAIN)


def _compete(logits: Tensor) -> Tensor:
    """Logits (1, O, H, W) -> probabilities beside a background of logit 0."""
    return torch.cat((torch.zeros_like(logits[:, :1]), logits), dim=1).softmax(dim=1)[:, 1:]
