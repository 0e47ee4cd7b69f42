"""Far from every mask: what motion carried there has drifted or is lost, and is weighed with the tracker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from vsodtool.ops.boxes import bounding_box, rebox, whole
from vsodtool.ops.confidence import ONE_SIDED, frame_confidence
from vsodtool.ops.labels.edges import align_to_edges
from vsodtool.ops.labels.temporal_smoothing import from_bounded_odds, log_odds
from vsodtool.ops.labels.tracking import expected_j, tracker_share
from vsodtool.ops.resize import resize_maps
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval, to_image
from vsodtool.pipelines.densify.side_by_side import Workers

FAR = 5  # frames from the nearest mask up to which labels stay as the methods make them
_TRACE = 0.02  # probability below which there is nothing
_OBJECT = 0.5


@dataclass(frozen=True)
class Tracked:
    """Where the objects of a frame were followed to, on the tracker's grid.

    Attributes:
        labels: of each object (O, h, w), uint8 of 255.
        salient: J of those together that are noticed, and of what is salient in the frame.
        noticed: how far what is salient speaks of each object, see `ops.tracking.notice`.
    """

    labels: Tensor
    salient: float
    noticed: Sequence[float]


class Follows(Protocol):
    """Follows objects through intervals."""

    def follow(self, interval: Interval, workers: Workers) -> dict[int, Tracked]:
        """By index of each target; those are missing that nothing is known of, or that were cancelled."""
        ...


def distance(interval: Interval, index: int) -> int:
    """Frames from the nearest label of an interval that has one."""
    return min(abs(index - known.index) for known in interval.labelled)


def is_far(interval: Interval) -> bool:
    """Whether a target is further than FAR from every label."""
    return any(distance(interval, index) > FAR for index in interval.targets)


def settle(interval: Interval, label: SoftLabel, tracked: Tracked) -> SoftLabel:
    """A label weighed with what the tracker found; up to FAR from a mask it stays, and is only judged alike.

    Each object by itself: how much of it is the tracker's says `ops.tracking.tracker_share`; nothing of an
    object that what is salient does not speak of.
    """
    frame, device = whole(interval.size), label.labels.device
    grid = (tracked.labels.shape[-2], tracked.labels.shape[-1])
    there = tracked.labels.to(device)[None].float() / 255
    was = resize_maps(rebox(label.labels, label.box, frame, fill=0.0), grid)
    agreements = [
        overlap(was[:, number] > _OBJECT, there[:, number] > _OBJECT) for number in range(there.shape[1])
    ]
    away = distance(interval, label.index)
    shares = there.new_tensor(
        [
            noticed * tracker_share(each, away, reach=FAR)
            for each, noticed in zip(agreements, tracked.noticed, strict=True)
        ]
    )
    found = resize_maps(there, interval.size)
    seen = bounding_box(found.amax(dim=1, keepdim=True), _TRACE)
    box = label.box if seen is None else label.box.union(seen)
    found = align_to_edges(
        rebox(found, frame, box, fill=0.0), to_image(interval.rgb(label.index), box, device)
    )
    carried = rebox(label.labels, label.box, box, fill=0.0)
    odds = torch.lerp(log_odds(carried), log_odds(found), shares[None, :, None, None])
    noticed = [
        each if there_is else 0.0 for each, there_is in zip(tracked.noticed, interval.present, strict=True)
    ]
    known = sum(noticed) / max(sum(interval.present), 1)  # the share of the objects that is judged anew
    agreement = sum(each * by for each, by in zip(agreements, noticed, strict=True)) / max(
        sum(noticed), _TRACE
    )
    judged = expected_j(agreement, tracked.salient)
    of_pixels = frame_confidence(label.labels, label.certainty)
    labels = from_bounded_odds(odds)
    trust = torch.lerp(
        rebox(label.trust, label.box, box, fill=1.0),
        torch.full_like(labels[:, :1], judged * ONE_SIDED),
        known,
    )
    expected = known * judged + (1 - known) * of_pixels
    return replace(label, box=box, labels=labels, trust=trust, support=None, expected=expected)


def overlap(first: Tensor, second: Tensor) -> float:
    """J of two masks (..., h, w), bool; 1 where both are empty."""
    union = int((first | second).sum())
    return int((first & second).sum()) / union if union else 1.0
