"""Whose colours are these? What several objects look like settles which of them a doubtful pixel belongs to.

Where one object passes before another, flow is wrong at the border between them, and both labels come to
places that are the other's. Their colours, counted in the labelled frames, tell them apart: histograms as
likelihoods, as in GrabCut (Rother, Kolmogorov and Blake, SIGGRAPH 2004), here of fine bins instead of
Gaussian mixtures.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vsodtool.ops.boxes import bounding_box
from vsodtool.ops.confidence import margin, owner_probabilities
from vsodtool.ops.labels.edges import box_mean

# Chosen on two pairs of davis-train: benchmarks/RESULTS.md, "Several objects".
BINS = 64  # of each colour channel; 32 gave .010 of J less on the pair with most overlap, 16 .024
AROUND = 40  # pixels around the objects that stand for the background
FAINT = 1e-5  # likelihood of a colour that was never seen
MOST = 4.0  # nats by which one owner's colours speak against another's
WEIGHT = 2.0  # what they count where all is in doubt
BACKGROUND = 0.5  # the background is of many colours, so its own say less
RADIUS = 2  # of the window, in pixels, over which colours speak together
_FLOOR = 0.01  # a soft label is never surer than that
_SETTLED = 0.02  # less doubt is none


def owner_colours(image: Tensor, labels: Tensor) -> Tensor:
    """How often each colour is seen on each owner of a labelled frame.

    Args:
        image: (1, 3, H, W) in [0, 1].
        labels: of the objects (1, O, H, W), 0 or 1.

    Returns:
        Background, then the objects (1 + O, BINS^3); each sums to 1, or is 0 where the frame shows nothing of
        that owner.
    """
    size = (image.shape[-2], image.shape[-1])
    box = bounding_box(labels, 0.5)
    if box is not None:
        box = box.grow(AROUND, 0.0, size)
        image, labels = box.crop(image), box.crop(labels)
    places = _bins(image)
    owned = owner_probabilities(labels)[0] > 0.5
    counts = torch.stack([torch.bincount(places[0, own], minlength=BINS**3) for own in owned]).float()
    blurred = counts.view(-1, BINS, BINS, BINS)
    for axis in (1, 2, 3):  # neighbouring bins are nearly the same colour
        padded = torch.nn.functional.pad(blurred.movedim(axis, -1), (1, 1))
        blurred = (padded[..., :-2] + 2 * padded[..., 1:-1] + padded[..., 2:]).div_(4).movedim(-1, axis)
    flat = blurred.flatten(1)
    return flat / flat.sum(dim=1, keepdim=True).clamp_min(1)


def settle_by_colours(
    labels: Tensor, trust: Tensor, views: Sequence[Tensor], seen: Sequence[Tensor]
) -> Tensor:
    """Soft labels, changed in doubt towards the owner whose colours are there.

    Args:
        labels: (1, O, h, w) in [0, 1].
        trust: what their clearness is worth (1, 1, h, w) in [0, 1].
        views: the frame in the light of each labelled frame (1, 3, h, w) in [0, 1].
        seen: `owner_colours` of each of these.

    Returns:
        (1, O, h, w) in [0, 1]; where nothing is in doubt they stay as they are.
    """
    doubt = box_mean(1 - margin(labels) * trust, RADIUS)
    box = bounding_box(doubt, _SETTLED)
    if box is None:
        return labels
    likelihood = torch.full_like(owner_probabilities(box.crop(labels))[0], FAINT)
    for view, colours in zip(views, seen, strict=True):
        likelihood += colours[:, _bins(box.crop(view))[0]] / len(seen)
    spoken = likelihood.log_()[None]
    rival = spoken[:, 1:].amax(dim=1, keepdim=True)
    spoken[:, :1] = torch.lerp(rival, spoken[:, :1], BACKGROUND)
    spoken = box_mean((spoken - spoken.amax(dim=1, keepdim=True)).clamp_min_(-MOST), RADIUS)
    before = owner_probabilities(box.crop(labels)) + _FLOOR
    after = before * torch.exp(WEIGHT * box.crop(doubt) * spoken)
    after *= before.sum(dim=1, keepdim=True) / after.sum(dim=1, keepdim=True)
    after = (after - _FLOOR).clamp_min_(0)  # as it was, where all owners' colours are equally likely
    result = labels.clone()
    box.crop(result).copy_(after[:, 1:] / after.sum(dim=1, keepdim=True))
    return result


def _bins(image: Tensor) -> Tensor:
    """The bin of each pixel (1, H, W), int64."""
    steps = (image * BINS).long().clamp_(0, BINS - 1)
    return (steps[:, 0] * BINS + steps[:, 1]) * BINS + steps[:, 2]
