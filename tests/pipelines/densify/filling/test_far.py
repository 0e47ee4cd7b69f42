"""Far from masks: what motion carried where the tracker agrees, else what the tracker found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.pipelines.intervals import make_job
from vsodtool.ops.boxes import Box
from vsodtool.pipelines.densify.filling.far import (
    Tracked,
    distance,
    doubt,
    is_far,
    is_worth_following,
    overlap,
    settle,
)
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval

SIZE = (40, 56)
BOX = Box(4, 4, 24, 28)


@pytest.fixture
def interval(film: Callable[..., Any], tmp_path: Path) -> Interval:
    """Forty frames after one mask."""
    return replace(make_job(film([(0, 0)] * 40), tmp_path / "clip"), right=None)


def carried(index: int) -> SoftLabel:
    labels = torch.zeros(1, 1, *BOX.size)
    labels[..., 4:16, 4:16] = 1
    return SoftLabel(index, SIZE, BOX, labels, torch.ones(1, 1, *BOX.size))


def tracked(rows: slice, columns: slice) -> Tracked:
    labels = torch.zeros(1, *SIZE, dtype=torch.uint8)
    labels[:, rows, columns] = 255
    return Tracked(labels, salient=0.9, noticed=[1.0])


def mask(label: SoftLabel) -> Tensor:
    return torch.from_numpy(label.ids([1]) > 0)


def test_what_is_far(interval: Interval) -> None:
    assert [distance(interval, index) for index in (1, 5, 39)] == [1, 5, 39]
    assert is_far(interval)
    assert not is_far(replace(interval, targets=[1, 2, 5]))
    between = replace(interval, targets=[5], right=replace(interval.known, index=10))
    assert not is_far(between)
    assert is_far(replace(between, targets=[5, 6], right=replace(interval.known, index=12)))


def test_what_both_say_stays_and_is_sure(interval: Interval) -> None:
    label = carried(30)
    settled = settle(interval, label, tracked(slice(8, 20), slice(8, 20)))
    assert overlap(mask(settled), mask(label)) > 0.9
    assert settled.frame_confidence == pytest.approx(0.19 + 0.1 + 0.68 * 0.9)


def test_what_was_lost_is_where_the_tracker_found_it(interval: Interval) -> None:
    elsewhere = tracked(slice(26, 38), slice(40, 54))
    settled = settle(interval, carried(30), elsewhere)
    assert overlap(mask(settled), elsewhere.labels[0] > 0) > 0.9
    assert settled.box.bottom >= 38
    assert settled.frame_confidence == pytest.approx(0.19 + 0.68 * 0.9)


def test_what_the_tracker_does_not_find_is_gone(interval: Interval) -> None:
    settled = settle(interval, carried(30), tracked(slice(0, 0), slice(0, 0)))
    assert not bool(mask(settled).any())
    assert settled.box == BOX


def test_objects_are_weighed_one_by_one(interval: Interval) -> None:
    known = interval.known
    interval = replace(interval, left=replace(known, labels=known.labels.repeat(1, 2, 1, 1)))
    labels = torch.zeros(1, 2, *BOX.size)
    labels[:, 0, 2:8, 2:8] = 1
    labels[:, 1, 12:18, 12:18] = 1
    found = torch.zeros(2, *SIZE, dtype=torch.uint8)
    found[0, 6:12, 6:12] = 255  # the same
    found[1, 30:38, 44:52] = 255  # elsewhere
    label = SoftLabel(30, SIZE, BOX, labels, torch.ones(1, 1, *BOX.size))
    ids = settle(interval, label, Tracked(found, 1.0, [1.0, 1.0])).ids([1, 2])
    assert ids[9, 9] == 1
    assert ids[34, 48] == 2
    assert ids[19, 19] == 0


def test_an_object_that_is_not_salient_stays_where_motion_carried_it(interval: Interval) -> None:
    label, elsewhere = carried(30), tracked(slice(26, 38), slice(40, 54))
    settled = settle(interval, label, replace(elsewhere, noticed=[0.0]))
    assert overlap(mask(settled), mask(label)) == 1
    assert settled.frame_confidence == pytest.approx(label.frame_confidence)
    half = settle(interval, label, replace(elsewhere, noticed=[0.5]))
    judged = 0.19 + 0.68 * 0.9
    assert half.frame_confidence == pytest.approx((judged + label.frame_confidence) / 2)


def test_overlap() -> None:
    nothing, everything = torch.zeros(2, 2) > 0, torch.ones(2, 2) > 0
    half = torch.tensor([[True, True], [False, False]])
    assert (overlap(nothing, nothing), overlap(nothing, half), overlap(half, everything)) == (1, 0, 0.5)


def between(
    interval: Interval,
    *,
    met: float | None,
    kept: float,
    reached: float = 0.9,
    index: int = 20,
    noticed: float = 1.0,
) -> tuple[SoftLabel, SoftLabel]:
    """A label between two masks, as surely kept as said, and what becomes of it."""
    known = interval.known
    interval = replace(interval, right=replace(known, index=40))
    label = replace(carried(index), shown={0: kept})
    found = tracked(slice(26, 38), slice(40, 54)) if met is not None else tracked(slice(0, 0), slice(0, 0))
    return label, settle(interval, label, replace(found, met=[met], reached=[reached], noticed=[noticed]))


@pytest.mark.parametrize(
    "case",
    [
        {"met": 0.9, "kept": 0.9},  # what was carried is sure
        {"met": 0.9, "kept": 0.3, "index": 3},  # a mask is near
        {"met": 0.9, "kept": 0.7, "reached": 0.3},  # at the other mask the tracker was wrong
        {"met": None, "kept": 0.9},  # the tracker finds nothing, and that is all
        {"met": None, "kept": 0.1, "noticed": 0.0},  # it could not
    ],
)
def test_between_two_masks_a_label_stays(interval: Interval, case: dict[str, Any]) -> None:
    label, settled = between(interval, **case)
    assert settled is label


def test_between_two_masks_what_was_lost_is_where_the_tracker_found_it(interval: Interval) -> None:
    _, settled = between(interval, met=0.81, kept=0.3)
    assert mask(settled)[26:38, 40:54].float().mean() > 0.9
    assert not bool(mask(settled)[4:20, 4:20].any())
    assert settled.frame_confidence == pytest.approx((0.19 + 0.68 * 0.9) * 0.9)


def test_between_two_masks_what_nobody_is_sure_of_is_gone_and_surely_so(interval: Interval) -> None:
    label, settled = between(interval, met=None, kept=0.2)
    assert not bool(mask(settled).any())
    assert settled.frame_confidence == pytest.approx(1 - label.frame_confidence**2)


def test_between_two_masks_what_is_half_unsure_is_of_both(interval: Interval) -> None:
    _, settled = between(interval, met=1.0, kept=0.7, reached=0.75)
    assert settled.frame_confidence == pytest.approx(0.75)
    odds = settled.labels[0, 0] / (1 - settled.labels[0, 0])
    assert odds.max() < 1.5  # each denies what the other says, and counts as much


def test_support_counts_as_far_as_the_label_is_what_was_carried(interval: Interval) -> None:
    interval = replace(interval, right=replace(interval.known, index=40))
    found = replace(tracked(slice(8, 20), slice(8, 20)), met=[0.9], reached=[0.9])
    label = replace(carried(20), shown={0: 0.7}, support=torch.full((1, 1, *BOX.size), 0.6))
    settled = settle(interval, label, found)
    assert settled.support is not None
    assert settled.support.min() == pytest.approx((0.6 + 1) / 2)


def test_between_two_masks_only_what_is_unsure_or_apart_can_change(interval: Interval) -> None:
    assert doubt(interval, carried(1)) == 1
    interval = replace(interval, right=replace(interval.known, index=40))
    label = carried(20)
    apart = torch.zeros(1, 1, *SIZE)
    apart[..., 8:20, 8:20] = apart[..., 8:16, 40:48] = 1
    scattered = replace(label, box=Box(0, 0, *SIZE), labels=apart, trust=torch.ones(1, 1, *SIZE))
    gone = replace(label, labels=torch.zeros_like(label.labels))
    assert doubt(interval, label) == doubt(interval, gone) == 0
    half = replace(label, shown={0: 0.7})
    for doubtful, how_much in ((half, 0.5), (scattered, 1)):
        assert doubt(interval, doubtful) == pytest.approx(how_much)
        assert doubt(interval, replace(doubtful, index=3)) == 0  # a mask is near
    like = replace(interval.known, labels=apart)
    assert doubt(replace(interval, left=like), scattered) == 0


def test_of_no_object_nothing_is_in_doubt(interval: Interval) -> None:
    known = replace(interval.known, labels=interval.known.labels[:, :0])
    interval = replace(interval, left=known, right=replace(known, index=40))
    label = carried(20)
    assert doubt(interval, replace(label, labels=label.labels[:, :0])) == 0


def test_objects_are_followed_where_enough_is_in_doubt(interval: Interval) -> None:
    some = 0.1 * len(interval.targets)
    assert is_worth_following(interval, [some / 2, some / 2])
    assert not is_worth_following(interval, [some / 4, some / 4])
    assert not is_worth_following(interval, [])


def with_stray(interval: Interval, index: int = 20, *, met: float = 0.9, right: Tensor | None = None) -> int:
    """Pixels of a part far from the object that are left of it between two masks."""
    known = replace(interval.known, labels=torch.zeros_like(interval.known.labels))
    known.labels[..., 8:20, 8:20] = 1
    other = known.labels if right is None else right
    interval = replace(interval, left=known, right=replace(known, index=40, labels=other))
    labels = torch.zeros(1, 1, *SIZE)
    labels[..., 8:20, 8:20] = labels[..., 8:16, 40:48] = 1
    label = SoftLabel(index, SIZE, Box(0, 0, *SIZE), labels, torch.ones(1, 1, *SIZE))
    settled = mask(
        settle(interval, label, replace(tracked(slice(8, 20), slice(8, 20)), met=[met], reached=[0.9]))
    )
    assert bool(settled[8:20, 8:20].all())
    return int(settled[:, 30:].sum())


def test_between_two_masks_what_is_out_of_reach_of_the_object_goes(interval: Interval) -> None:
    assert with_stray(interval) == 0


def test_between_two_masks_what_is_far_stays_near_a_mask_or_if_the_tracker_is_unsure(
    interval: Interval,
) -> None:
    assert with_stray(interval, 3) == 64
    assert with_stray(interval, met=0.4) == 64


def test_between_two_masks_what_is_far_stays_if_a_mask_has_the_like(interval: Interval) -> None:
    two = torch.zeros_like(interval.known.labels)
    two[..., 8:20, 8:20] = two[..., 8:16, 40:48] = 1
    assert with_stray(interval, right=two) == 64
