"""An object that both labels show is not given up without doubt: it is looked for, and its lack is told."""

from __future__ import annotations

from dataclasses import replace
from math import exp

import torch

from vsodtool.ops.boxes import rebox, whole
from vsodtool.ops.confidence import owners
from vsodtool.ops.labels.exposure import in_light_of
from vsodtool.ops.labels.following import Found, box_of, follow, shape_of
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval, to_image

KEPT = 0.5  # share of the smaller of its labels from which on an object counts as there
_ALIKE = 16 / 255  # difference of colour at which what was found is worth 1/e
_BELIEF = 0.8  # at most: it was found by its looks alone
_ACCEPTED = 0.25  # belief from which on it is taken


def keep_shown(interval: Interval, label: SoftLabel, *, search: bool) -> SoftLabel:
    """Look for what both labels show and this one does not, and say how much of it is there.

    Args:
        interval: that the label was made in.
        label: what a method made.
        search: look for it; else doubt only.

    Returns:
        The label itself where nothing is missing.
    """
    expected = interval.shown_twice
    if not expected:
        return label
    count = label.labels.shape[1]
    found = torch.bincount(owners(label.labels).flatten().long(), minlength=count + 1)[1:].tolist()
    shares = {number: min(found[number] / (KEPT * area), 1.0) for number, area in expected.items()}
    missing = [number for number, share in shares.items() if share < 1]
    if not missing:
        return label
    for number in missing:
        place = _look_for(interval, label.index, number)
        if place is None:
            continue
        worth = _BELIEF * _worth(place) if search else 0.0
        if worth > max(_ACCEPTED, shares[number]):
            label = _with(label, number, place, belief=worth)
            shares[number] = worth
        else:
            label = _doubted(label, place, sure=shares[number])
    return replace(label, shown=shares)


def _look_for(interval: Interval, index: int, number: int) -> Found | None:
    left, right = interval.left, interval.right
    assert left is not None
    assert right is not None
    device, frame = left.labels.device, whole(interval.size)
    image = to_image(interval.rgb(index), frame, device)
    views = [in_light_of(to_image(known.rgb, frame, device), image) for known in (left, right)]
    shapes = [shape_of(known.labels[0, number] > 0) for known in (left, right)]
    share = (index - left.index) / (right.index - left.index)
    return follow(image, (views[0], views[1]), (shapes[0], shapes[1]), share)


def _worth(place: Found) -> float:
    """How much the pixels that were found look as they should, and unlike those around them, in [0, 1]."""
    return exp(-place.difference / _ALIKE) * min(place.contrast / max(2 * place.difference, 1e-3), 1.0)


def _with(label: SoftLabel, number: int, place: Found, *, belief: float) -> SoftLabel:
    """The label with an object at the place where it was found, and nowhere else."""
    label = _grown(label, place)
    rows, columns = place.rows - label.box.top, place.columns - label.box.left
    probability = (1 + belief) / 2
    label.labels[:, number] = 0
    label.labels[:, :, rows, columns] *= 1 - probability
    label.labels[:, number, rows, columns] = probability
    label.trust[:, :, rows, columns] = 1
    return label


def _doubted(label: SoftLabel, place: Found, *, sure: float) -> SoftLabel:
    """The label, no surer than that where an object may be that is missing."""
    label = _grown(label, place)
    label.trust[:, :, place.rows - label.box.top, place.columns - label.box.left] *= sure
    return label


def _grown(label: SoftLabel, place: Found) -> SoftLabel:
    """A copy that may be changed, on a box that holds the place too."""
    old, box = label.box, label.box.union(box_of(place))
    labels = rebox(label.labels, old, box, fill=0.0).clone()
    trust = rebox(label.trust, old, box, fill=1.0).clone()
    support = None if label.support is None else rebox(label.support, old, box, fill=1.0)
    return replace(label, box=box, labels=labels, trust=trust, support=support)
