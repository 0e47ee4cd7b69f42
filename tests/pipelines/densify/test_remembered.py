"""What is remembered is what would be computed, and of too much the longest unused is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.pipelines.intervals import make_job
from vsodtool.pipelines.densify.filling.evidence import Evidence
from vsodtool.pipelines.densify.filling.fill import Finish, densify
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval
from vsodtool.pipelines.densify.method import Wants
from vsodtool.pipelines.densify.motion import MotionEstimators
from vsodtool.pipelines.densify.quality import motion_estimators, rules
from vsodtool.pipelines.densify.remembered import Remembered, RememberedFlow, digest
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.types import FlowEstimator, ignore_event

CPU = torch.device("cpu")
PAN = [(2, 1), (1, 0), (-1, 1), (2, -1)] * 2


class Counting:
    """An estimator whose pairs are counted."""

    def __init__(self, estimator: FlowEstimator) -> None:
        self._estimator = estimator
        self.name = estimator.name
        self.pairs = 0

    def estimate(self, image_a: Tensor, image_b: Tensor, *, initial: Tensor | None = None) -> Tensor:
        self.pairs += len(image_a)
        return self._estimator.estimate(image_a, image_b, initial=initial)


def counted(remembered: Remembered | None) -> MotionEstimators:
    usual = motion_estimators("dis", "fast", torch.device("cpu"), ignore_event)
    assert usual.coarse is not None
    return replace(
        usual,
        adjacent=Counting(usual.adjacent),
        refining=Counting(usual.refining),
        coarse=Counting(usual.coarse),
        remembered=remembered,
    )


def pairs(estimators: MotionEstimators) -> list[int]:
    parts = (estimators.coarse, estimators.adjacent, estimators.refining)
    return [part.pairs for part in parts if isinstance(part, Counting)]


def fill(interval: Interval, estimators: MotionEstimators) -> dict[int, Tensor]:
    found: dict[int, Tensor] = {}

    def take(_: str, label: SoftLabel) -> None:
        found[label.index] = torch.cat((label.labels, label.trust), dim=1)

    with ThreadPoolExecutor(2) as pool:
        densify(
            interval,
            [rules("fast")],
            estimators,
            workers=Workers(pool),
            on_label=take,
            finish=Finish(smooth=True),
        )
    return found


@pytest.fixture
def interval(film: Callable[..., Any], tmp_path: Path) -> Interval:
    clip = film(PAN, size=(96, 128), objects={1: (100, 110, 20, 24)})
    return make_job(clip, tmp_path / "clip")


def test_after_a_correction_only_what_it_touches_is_computed(interval: Interval) -> None:
    remembered = Remembered()
    first = counted(remembered)
    fill(interval, first)
    frames = len(interval.targets)
    assert pairs(first) == [2 * (frames + 1), 2 * (frames + 1), 2 * frames]

    right = interval.right
    assert right is not None
    labels = right.labels.clone()
    rows, columns = torch.nonzero(labels[0, 0], as_tuple=True)
    labels[0, 0, int(rows.median()), int(columns.median())] = 0  # a hole: no box changes
    corrected = replace(interval, right=replace(right, labels=labels))
    again, anew = counted(remembered), counted(None)
    found, expected = fill(corrected, again), fill(corrected, anew)
    assert pairs(again) == [0, 0, frames]  # from the corrected label only
    assert found.keys() == expected.keys()
    for index, values in expected.items():
        assert torch.equal(found[index], values)
    # Once more it is as if nothing had been corrected.
    assert {index: values.tolist() for index, values in fill(interval, counted(remembered)).items()} == {
        index: values.tolist() for index, values in fill(interval, counted(None)).items()
    }


def test_flow_is_computed_once_for_a_mask_that_changes_no_place(interval: Interval) -> None:
    usual, counting = counted(None), Counting(motion_estimators("dis", "fast", CPU, ignore_event).refining)
    estimators = replace(usual, refining=counting).remembering(Remembered())
    assert estimators.name == usual.name
    fill(interval, estimators)
    frames, right = len(interval.targets), interval.right
    assert counting.pairs == 2 * frames
    assert right is not None
    labels = right.labels.clone()
    labels[0, 0, labels[0, 0].any(1).nonzero()[3], :] *= torch.linspace(0, 1, labels.shape[-1]).round()
    corrected = replace(interval, right=replace(right, labels=labels))
    found, expected = fill(corrected, estimators), fill(corrected, counted(None))
    assert counting.pairs < 3 * frames  # where what was corrected moved the middle of the object
    for index, values in expected.items():
        assert torch.equal(found[index], values)


def test_flow_of_other_images_or_from_another_start_is_another() -> None:
    counting = Counting(motion_estimators("dis", "fast", CPU, ignore_event).refining)
    flow = RememberedFlow(counting, Remembered())
    first, second = torch.rand(2, 1, 3, 24, 32)
    start = torch.zeros(1, 2, 24, 32)
    asked = [(first, second, None), (second, first, None), (first, second, start), (first, second, start + 1)]
    for image_a, image_b, initial in (*asked, *asked):
        found = flow.estimate(image_a, image_b, initial=initial)
        assert torch.equal(found, counting.estimate(image_a, image_b, initial=initial))
    assert counting.pairs == len(asked) + 2 * len(asked)


def test_other_frames_are_not_mistaken(interval: Interval) -> None:
    remembered = Remembered()
    fill(interval, counted(remembered))
    rgb = interval.frames.get(4)
    rgb[40:50, 40:50] = 255 - rgb[40:50, 40:50]
    estimators = counted(remembered)
    found, expected = fill(interval, estimators), fill(interval, counted(None))
    assert pairs(estimators)[0] == 4  # two pairs, both ways
    for index, values in expected.items():
        assert torch.equal(found[index], values)


def test_methods_that_want_other_evidence_get_their_own(film: Callable[..., Any], tmp_path: Path) -> None:
    """Of an object that fills the frame the boxes of one method are the whole frames that another wants."""

    class WithFlow:
        name, wants = "with flow", Wants.FRAMES

        def generate(self, evidence: Evidence) -> SoftLabel:
            assert all(side.flow is not None for side in evidence.sides)
            return evidence.answer(evidence.labels[:1], torch.ones_like(evidence.labels[:1, :1]))

    clip = film(PAN, size=(64, 64), objects={1: (0, 0, 180, 200)})
    interval, estimators = make_job(clip, tmp_path / "clip"), counted(Remembered())
    found: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        densify(
            interval,
            [rules("fast"), WithFlow()],
            estimators,
            workers=Workers(pool),
            on_label=lambda name, _: found.append(name),
        )
    assert len(found) == 2 * len(interval.targets)


def test_the_longest_unused_is_forgotten() -> None:
    remembered = Remembered(most_bytes=100)
    computed: list[str] = []

    def ask(key: str, count: int = 10) -> None:
        def compute() -> tuple[str, list[Tensor]]:
            computed.append(key)
            return key, [torch.zeros(count)]

        assert remembered.get(key, compute) == key

    for key in "abacab":  # 40 bytes each: two have room
        ask(key)
    assert "".join(computed) == "abcb"
    ask("large", 1000)  # is not kept, and nothing beside it
    ask("a")
    assert computed[4:] == ["large", "a"]


def test_digests_tell_values_types_and_shapes_apart() -> None:
    zeros = np.zeros((2, 3), np.uint8)
    one = zeros.copy()
    one[1, 2] = 1
    parts: list[tuple[object, ...]] = [
        (zeros,),
        (one,),
        (one.T,),
        (zeros.reshape(3, 2),),
        (zeros.astype(np.int8),),
        (zeros, "a"),
        ("a", zeros),
        (zeros, 1),
        ("ab", "c"),
        ("a", "bc"),
    ]
    assert len({digest(*each) for each in parts}) == len(parts)
    assert digest(torch.from_numpy(one)) == digest(one) == digest(one.T.copy().T)
