"""Far from every mask: what motion carried there has drifted or is lost, and is weighed with the tracker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import fsum
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.ops.boxes import bounding_box, rebox, whole
from vsodtool.ops.confidence import ONE_SIDED, owners, without
from vsodtool.ops.labels.connected import connected_to, parts
from vsodtool.ops.labels.edges import align_to_edges
from vsodtool.ops.labels.temporal_smoothing import from_bounded_odds, log_odds
from vsodtool.ops.labels.tracking import (
    doubted_share,
    expected_between,
    expected_j,
    found_share,
    grid_size,
    is_where,
    tracker_share,
    within_reach,
)
from vsodtool.ops.resize import resize_maps
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval, to_image
from vsodtool.pipelines.densify.side_by_side import Workers

FAR = 5  # frames from the nearest mask up to which labels stay as the methods make them
NEAR = 3  # the same between two masks
# Of the labels between two masks so much must be in doubt that following the objects, which costs more than
# making the labels, is worth it: benchmarks/TRIED.md, "Few masks".
_WORTH = 0.06
_TRACE = 0.02  # probability below which there is nothing
_OBJECT = 0.5


@dataclass(frozen=True)
class Tracked:
    """Where the objects of a frame were followed to, on the tracker's grid.

    Attributes:
        labels: of each object (O, h, w), uint8 of 255.
        salient: J of those together that are noticed, and of what is salient in the frame.
        noticed: how far what is salient speaks of each object, see `ops.tracking.notice`.
        met: between two masks, for each object J of where it was followed to from one and from the other,
            None where from neither it is anywhere. Empty where there is one mask.
        reached: between two masks, for each object J of where it was followed to at the other mask and of
            that mask, the mean of both ways.
    """

    labels: Tensor
    salient: float
    noticed: Sequence[float]
    met: Sequence[float | None] = ()
    reached: Sequence[float] = ()


class Follows(Protocol):
    """Follows objects through intervals."""

    def follow(
        self, interval: Interval, workers: Workers, on_done: Callable[[float], None] = lambda _: None
    ) -> Mapping[int, Tracked]:
        """By index of each target; those are missing that nothing is known of, or that were cancelled.

        Args:
            interval: with one label or two.
            workers: do the heavy pieces.
            on_done: told how much more of the work is done, 1 in all.
        """
        ...


def distance(interval: Interval, index: int) -> int:
    """Frames from the nearest label of an interval that has one."""
    return min(abs(index - known.index) for known in interval.labelled)


def is_far(interval: Interval) -> bool:
    """Whether a target is further than FAR from every label."""
    return any(distance(interval, index) > FAR for index in interval.targets)


def doubt(interval: Interval, label: SoftLabel) -> float:
    """How much of a label could become what a tracker found, in [0, 1], see `settle`.

    All of it where there is one mask, and where parts could go. Most labels between two masks are sure and in
    one place: nothing.
    """
    if len(interval.labelled) == 1:
        return 1.0
    if distance(interval, label.index) <= NEAR:
        return 0.0
    if _is_scattered(interval, label):
        return 1.0
    shares = (0.0 if sure is None else doubted_share(sure) for sure in label.object_confidences)
    return max(shares, default=0.0)


def is_worth_following(interval: Interval, doubts: Sequence[float]) -> bool:
    """Whether so much is in doubt that the objects of an interval are to be followed.

    Args:
        interval: with its labels.
        doubts: `doubt` of the targets, in any order; where there is none they may be left out.
    """
    return fsum(doubts) >= _WORTH * len(interval.targets)  # which does not depend on their order


def _is_scattered(interval: Interval, label: SoftLabel) -> bool:
    """Whether an object has parts far from it, which it has in neither mask."""
    owner = rebox(owners(label.labels).float(), label.box, whole(interval.size), fill=0.0)
    return any(
        not _is_in_one_place(on_grid(owner == number + 1))
        and all(
            _is_in_one_place(on_grid(known.labels[:1, number, None] > _OBJECT)) for known in interval.labelled
        )
        for number in range(label.labels.shape[1])
    )


def on_grid(mask: Tensor) -> Tensor:
    """Cells of the tracker's grid that show anything of a mask (1, 1, H, W), bool (h, w)."""
    size = grid_size((mask.shape[-2], mask.shape[-1]))
    return functional.adaptive_max_pool2d(mask.float(), size)[0, 0] > 0


def settle(interval: Interval, label: SoftLabel, tracked: Tracked) -> SoftLabel:
    """A label weighed with what the tracker found, each object by itself.

    With one mask the tracker counts from FAR on, more and more (`ops.tracking.tracker_share`), and labels up
    to there are only judged alike. Between two masks it counts from NEAR on as far as what was carried is
    unsure (`found_share`), and parts go that are far from anything it holds possible. Nothing of an object is
    the tracker's that what is salient does not speak of.
    """
    frame, device = whole(interval.size), label.labels.device
    grid = (tracked.labels.shape[-2], tracked.labels.shape[-1])
    there = tracked.labels.to(device)[None].float() / 255
    was = resize_maps(rebox(label.labels, label.box, frame, fill=0.0), grid)
    agreements = [
        overlap(was[:, number] > _OBJECT, there[:, number] > _OBJECT) for number in range(there.shape[1])
    ]
    between = len(interval.labelled) == 2
    if between:
        label = _without_strays(interval, label, there, tracked, agreements)
    sures = [1.0 if sure is None else sure for sure in label.object_confidences]
    found_js = _found_js(tracked, agreements, sures)
    shares = [
        seen * each
        for seen, each in zip(
            tracked.noticed, _shares(interval, label.index, agreements, sures, found_js), strict=True
        )
    ]
    if between and not any(shares):
        return label
    noticed = [
        each if there_is else 0.0 for each, there_is in zip(tracked.noticed, interval.present, strict=True)
    ]
    judged = sum(each * by for each, by in zip(found_js, noticed, strict=True)) / max(sum(noticed), _TRACE)
    # How much of the label is judged anew.
    known = max(shares) if between else sum(noticed) / max(sum(interval.present), 1)
    found = resize_maps(there, interval.size)
    seen = bounding_box(found.amax(dim=1, keepdim=True), _TRACE)
    box = label.box if seen is None else label.box.union(seen)
    found = align_to_edges(
        rebox(found, frame, box, fill=0.0), to_image(interval.rgb(label.index), box, device)
    )
    carried = rebox(label.labels, label.box, box, fill=0.0)
    of_each = found.new_tensor(shares)[None, :, None, None]
    labels = from_bounded_odds(torch.lerp(log_odds(carried), log_odds(found), of_each))
    trust = torch.lerp(
        rebox(label.trust, label.box, box, fill=1.0),
        torch.full_like(labels[:, :1], judged * ONE_SIDED),
        known,
    )
    support = label.support
    if support is not None:
        support = torch.lerp(rebox(support, label.box, box, fill=1.0), torch.ones_like(trust), known)
    expected = _joined_js(found_js, sures, shares if between else noticed, between=between)
    of_present = [
        sure if there_is else None for sure, there_is in zip(expected, interval.present, strict=True)
    ]
    return replace(label, box=box, labels=labels, trust=trust, support=support, shown={}, expected=of_present)


def _found_js(tracked: Tracked, agreements: Sequence[float], sures: Sequence[float]) -> list[float]:
    """The J to be expected of what the tracker found of each object."""
    expected = [expected_j(each, tracked.salient) for each in agreements]
    if not tracked.met:
        return expected
    of_each = zip(expected, tracked.met, tracked.reached, sures, strict=True)
    return [expected_between(*each) for each in of_each]


def _joined_js(
    found_js: Sequence[float], sures: Sequence[float], by: Sequence[float], *, between: bool
) -> list[float]:
    """The J to be expected of each object as the tracker and what was carried are joined.

    Args:
        found_js: that of what the tracker found.
        sures: that of what was carried.
        by: how much of each object is judged anew.
        between: whether there are two masks: then both know about it, and joined they are as good as the
            better one.
    """
    of_each = zip(found_js, sures, by, strict=True)
    if between:
        return [max(found, sure) if share else sure for found, sure, share in of_each]
    return [share * found + (1 - share) * sure for found, sure, share in of_each]


def _shares(
    interval: Interval,
    index: int,
    agreements: Sequence[float],
    sures: Sequence[float],
    found_js: Sequence[float],
) -> list[float]:
    """How much of each object would be the tracker's, were it noticed."""
    away = distance(interval, index)
    if len(interval.labelled) == 1:
        return [tracker_share(each, away, reach=FAR) for each in agreements]
    if away <= NEAR:
        return [0.0] * len(sures)
    return [found_share(sure, found) for sure, found in zip(sures, found_js, strict=True)]


def _without_strays(
    interval: Interval, label: SoftLabel, there: Tensor, tracked: Tracked, agreements: Sequence[float]
) -> SoftLabel:
    """The label without parts that are out of reach of what the tracker found (1, O, h, w)."""
    if distance(interval, label.index) <= NEAR:
        return label
    owner, labels = owners(label.labels)[0, 0], label.labels
    for number, (agreement, met) in enumerate(zip(agreements, tracked.met, strict=True)):
        if tracked.noticed[number] < _OBJECT or not is_where(agreement, met):
            continue
        reach = resize_maps(within_reach(there[0, number]).float()[None, None], interval.size)
        owned = owner == number + 1
        strays = owned & ~connected_to(owned & (label.box.crop(reach)[0, 0] > _OBJECT), owned)
        given = [known.labels[0, number] > _OBJECT for known in interval.labelled]
        if bool(strays.any()) and all(_is_in_one_place(mask) for mask in given):
            labels = without(labels, number, strays)
    return label if labels is label.labels else replace(label, labels=labels)


def _is_in_one_place(mask: Tensor) -> bool:
    """Whether a mask, bool (h, w), has no part out of reach of its largest part."""
    numbers, count = parts(mask)
    if count <= 1:
        return True
    largest = numbers == int(numbers[mask].bincount().argmax())
    return not bool((mask & ~within_reach(largest.float())).any())


def overlap(first: Tensor, second: Tensor) -> float:
    """J of two masks (..., h, w), bool; 1 where both are empty."""
    union = int((first | second).sum())
    return int((first & second).sum()) / union if union else 1.0
