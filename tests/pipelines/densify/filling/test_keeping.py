"""An object that both labels show is looked for where a method lost it, and its lack is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.pipelines.intervals import make_job
from vsodtool.ops.boxes import Box
from vsodtool.pipelines.densify.filling.keeping import KEPT, keep_shown
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval

AT = 3


@pytest.fixture
def clip(film: Callable[..., Any]) -> Any:
    """A camera that moves over a plane with two small things."""
    return film([(1, 0)] * 6, size=(48, 64), objects={1: (72, 80, 3, 3), 2: (90, 95, 6, 6)})


@pytest.fixture
def interval(clip: Any, tmp_path: Path) -> Interval:
    made = make_job(clip, tmp_path / "clip")
    sides = [
        known and replace(known, labels=channels(clip.truth[known.index]))
        for known in (made.left, made.right)
    ]
    return replace(made, left=sides[0], right=sides[1])


def channels(ids: Any) -> torch.Tensor:
    return torch.from_numpy(np.stack([ids == 1, ids == 2])[None]).float()


def label_of(interval: Interval, labels: torch.Tensor) -> SoftLabel:
    """A sure label of the frame AT, on a box."""
    box = Box(5, 4, 30, 60)
    part = box.crop(labels)
    return SoftLabel(AT, interval.size, box, part, torch.ones_like(part[:, :1]))


def test_what_is_there_stays_as_it_is(interval: Interval, clip: Any) -> None:
    label = SoftLabel(
        AT, interval.size, Box(0, 0, 48, 64), channels(clip.truth[AT]), torch.ones(1, 1, 48, 64)
    )
    assert keep_shown(interval, label, search=True) is label


def test_what_is_lost_is_found_by_its_looks(interval: Interval, clip: Any) -> None:
    label = keep_shown(interval, label_of(interval, torch.zeros(1, 2, 48, 64)), search=True)
    np.testing.assert_array_equal(label.ids([1, 2]), clip.truth[AT])
    assert all(0.5 < each < 0.9 for each in label.shown.values())  # sure, but by its looks alone
    assert label.box == Box(5, 4, 36, 60)  # grown to hold the second thing


def test_of_two_only_the_lost_one_is_touched(interval: Interval, clip: Any) -> None:
    kept = channels(clip.truth[AT])
    kept[:, 0] = 0
    before = SoftLabel(AT, interval.size, Box(0, 0, 48, 64), kept, torch.ones(1, 1, 48, 64))
    label = keep_shown(interval, before, search=True)
    np.testing.assert_array_equal(label.ids([1, 2]), clip.truth[AT])
    assert 0.5 < label.shown[0] < 0.9
    assert label.shown[1] == 1
    assert label.frame_confidence == pytest.approx(sum(map(float, label.object_confidences)) / 2)
    assert float(before.labels[:, 0].max()) == 0  # arguments are not changed


@pytest.mark.parametrize("search", [True, False])
def test_what_is_not_found_is_doubted(interval: Interval, clip: Any, search: bool) -> None:
    """Both things are hidden in the frame, as behind something."""
    hidden = interval.frames.get(AT)
    hidden[clip.truth[AT] > 0] = 0
    label = keep_shown(interval, label_of(interval, torch.zeros(1, 2, 48, 64)), search=search)
    assert not label.ids([1, 2]).any()
    assert label.shown == {0: 0, 1: 0}
    assert label.object_confidences == [0, 0]
    assert label.frame_confidence == 0
    assert label.sure().min() == 0  # where it would most likely be
    assert (label.sure() == 255).mean() > 0.9


def test_doubt_grows_with_what_is_missing(interval: Interval, clip: Any) -> None:
    rows = np.flatnonzero((clip.truth[AT] == 2).any(axis=1))
    shares = []
    for lines in (6, 3, 2, 1):
        part = channels(clip.truth[AT])
        part[:, 1, rows[lines:]] = 0
        whole = SoftLabel(AT, interval.size, Box(0, 0, 48, 64), part, torch.ones(1, 1, 48, 64))
        shares.append(keep_shown(interval, whole, search=False).shown.get(1, 1))
    assert shares[:2] == [1, 1]  # half of it is enough
    assert shares[2:] == pytest.approx([lines / 6 / KEPT for lines in (2, 1)])


def test_one_label_proves_nothing(interval: Interval) -> None:
    nothing = label_of(interval, torch.zeros(1, 2, 48, 64))
    for one_sided in (replace(interval, left=None), replace(interval, right=None)):
        assert keep_shown(one_sided, nothing, search=True) is nothing
    assert interval.right is not None
    empty = replace(interval.right, labels=torch.zeros_like(interval.right.labels))
    assert keep_shown(replace(interval, right=empty), nothing, search=True) is nothing
