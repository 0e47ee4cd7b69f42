"""Labels of neighbouring frames, brought here by flow, steady the label of a frame.

Densifiers judge each frame by itself; their errors flicker, and a mean along the motion removes part of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp

import torch
from torch import Tensor

from vsodtool.native.differences import mean_differences
from vsodtool.native.library import library
from vsodtool.native.maps import readable
from vsodtool.ops.confidence import owner_probabilities
from vsodtool.ops.window_mean import window_mean

REACH = 2  # neighbours on each side
# Chosen on four videos of davis-train: benchmarks/TRIED.md, "Temporal smoothing".
_LIKENESS = 0.05  # difference of colour, of 1, at which a neighbour keeps 1/e of its weight
_FADING = 0.8  # weight of a neighbour for each frame between
_FAINT = 0.01  # weight of what is not alike at all: where nothing is, the mean of it
_USUAL, _TELLS = 0.85, 0.2  # agreement of two neighbours, and the power of it that tells good frames from bad
_CERTAIN = 5.0  # log-odds; no frame is surer than that
_LEAST = 1 / (1 + exp(_CERTAIN))  # the soft label of these odds against an object


@dataclass(frozen=True)
class Neighbour:
    """Another frame, warped here.

    Attributes:
        odds: its labels as `log_odds` (1, O, h, w).
        image: (1, 3, h, w) in [0, 1].
        distance: in frames, at least 1.
    """

    odds: Tensor
    image: Tensor
    distance: int


def log_odds(labels: Tensor) -> Tensor:
    """Of each object against background, soft labels (1, O, h, w) -> (1, O, h, w), bounded."""
    shares = owner_probabilities(labels).clamp_min(1e-6).log()
    return (shares[:, 1:] - shares[:, :1]).clamp(-_CERTAIN, _CERTAIN)


def from_log_odds(odds: Tensor) -> Tensor:
    """The opposite of `log_odds`: soft labels, of which those of a pixel sum to less than 1."""
    if odds.shape[1] == 1:  # the same, in a third of the time
        return odds.sigmoid()
    return torch.cat((torch.zeros_like(odds[:, :1]), odds), dim=1).softmax(dim=1)[:, 1:]


def from_bounded_odds(odds: Tensor) -> Tensor:
    """The opposite of `log_odds`, at its bounds too: a soft label is 0 or 1 there, nothing stays nothing.

    The background and all objects give away the same, so the order among them stays.
    """
    objects = from_log_odds(odds)
    background = (1 - _LEAST - objects.sum(dim=1, keepdim=True)).clamp_min_(0)
    left = (objects - _LEAST).clamp_min_(0)
    return left.div_(background.add_(left.sum(dim=1, keepdim=True)).clamp_min_(_LEAST))


def smooth_over_time(odds: Tensor, image: Tensor, neighbours: Iterable[Neighbour]) -> Tensor:
    """The mean of a frame's log-odds and its neighbours', these weighted by likeness and nearness.

    Args:
        odds: of the frame (1, O, h, w).
        image: the frame (1, 3, h, w) in [0, 1].
        neighbours: none leaves it as it is.

    Returns:
        (1, O, h, w).
    """
    total, weights = odds.clone(), torch.ones_like(odds[:, :1])
    for near in neighbours:
        weight = _likeness(image, near).mul_(_FADING**near.distance)
        total.addcmul_(weight, near.odds)
        weights += weight
    return total.div_(weights)


def between(
    image: Tensor, neighbours: Sequence[Neighbour], trusts: Sequence[Tensor]
) -> tuple[Tensor, Tensor]:
    """A frame that nobody judged, from those around it: the mean of what is alike and trusted.

    Args:
        image: the frame (1, 3, h, w) in [0, 1].
        neighbours: at least one.
        trusts: what the labels of each are worth, warped like them (1, 1, h, w) in [0, 1].

    Returns:
        Soft labels (1, O, h, w) and trust (1, 1, h, w), both in [0, 1].
    """
    pairs = list(zip(neighbours, trusts, strict=True))
    weights = torch.cat(
        [(_likeness(image, near) + _FAINT) * trust.clamp_min(_FAINT) for near, trust in pairs]
    )
    weights = weights / weights.sum(dim=0)
    odds = (weights * torch.cat([near.odds for near in neighbours])).sum(dim=0, keepdim=True)
    trust = (weights * torch.cat(list(trusts))).sum(dim=0, keepdim=True)
    return from_bounded_odds(odds), trust


def expected_between(first: float, second: float, agreed: float) -> float:
    """The J that an object of such a frame can be expected to reach.

    On four videos of davis-train (K = 10) its Spearman with J is .84, as good as that of frames that were
    judged, and its mean is right to .003.

    Args:
        first: J that is expected of one neighbour.
        second: of the other.
        agreed: `agreement` of both, brought here.
    """
    return min(min(first, second) * float((agreed / _USUAL) ** _TELLS), 1.0)


def agreement(first: Tensor, second: Tensor) -> Tensor:
    """J of soft labels, of each object by itself.

    Args:
        first: `log_odds` (1, O, h, w).
        second: others, of the same frame.

    Returns:
        (O,) in [0, 1].
    """
    ours, theirs = first.sigmoid(), second.sigmoid()
    union = torch.maximum(ours, theirs).sum(dim=(0, 2, 3))
    return torch.minimum(ours, theirs).sum(dim=(0, 2, 3)) / union


def _likeness(image: Tensor, near: Neighbour) -> Tensor:
    """How much a neighbour looks like the frame (1, 1, h, w) in [0, 1].

    Two ways that give the same numbers: torch's, and on CPUs compiled loops for the difference.
    """
    loops = library()
    if loops is not None and readable(image, near.image):
        difference = mean_differences(loops, image, near.image)
    else:
        difference = window_mean((near.image - image).abs().mean(dim=1, keepdim=True))
    difference /= _LIKENESS
    return difference.mul_(-difference).exp_()
