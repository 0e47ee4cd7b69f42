"""Smoothing along an interval: the same frames however they are walked, and flicker that goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.pipelines.intervals import make_job
from vsodtool.media.video import frame_store
from vsodtool.pipelines.densify.filling.evidence import Evidence
from vsodtool.pipelines.densify.filling.fill import densify, with_neighbours
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval
from vsodtool.pipelines.densify.method import WarpMethod
from vsodtool.pipelines.densify.motion import MotionEstimators
from vsodtool.pipelines.densify.side_by_side import Workers


@pytest.fixture
def workers() -> Iterator[Workers]:
    with ThreadPoolExecutor(2) as pool:
        yield Workers(pool)


class Flickering(WarpMethod):
    """Loses the object in some frames, though it is not sure about that."""

    name = "flickering"

    def __init__(self, *lost: int) -> None:
        super().__init__()
        self._lost = lost

    def generate(self, evidence: Evidence) -> SoftLabel:
        made = super().generate(evidence)
        labels = made.labels.clamp(max=0.3) if evidence.index in self._lost else made.labels
        return replace(made, labels=labels)


def fill(job: Interval, plan: MotionEstimators, workers: Workers, *lost: int) -> dict[int, SoftLabel]:
    made: dict[int, SoftLabel] = {}
    densify(
        job,
        [Flickering(*lost)],
        plan,
        workers=workers,
        on_label=lambda _, frame: made.update({frame.index: frame}),
        smooth=True,
    )
    return made


@pytest.fixture
def clip(film: Callable[..., Any]) -> Any:
    return film([(1, 0), (0, 1), (-1, 1)] * 4)


@pytest.fixture(params=[frame_store.HELD_BYTES, 1], ids=["short", "long"])
def whole_job(
    clip: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Interval:
    monkeypatch.setattr(frame_store, "HELD_BYTES", request.param)
    return make_job(clip, tmp_path / "clip")


@pytest.fixture(params=["both", "right", "left"])
def job(whole_job: Interval, request: pytest.FixtureRequest) -> Interval:
    """Known from both sides or from one."""
    changes: dict[str, dict[str, None]] = {"both": {}, "right": {"left": None}, "left": {"right": None}}
    return replace(whole_job, **changes[request.param])


def test_frames_that_flicker_are_steadied_by_their_neighbours(
    clip: Any, job: Interval, exact: Any, workers: Workers
) -> None:
    lost = (1, 6, 11)  # beside a label at the ends, and in the middle
    made = fill(job, MotionEstimators(exact, exact, exact), workers, *lost)
    assert sorted(made) == job.targets
    for index in lost:
        inside, found = clip.truth[index] > 0, made[index].ids([1]) > 0
        assert found[inside].mean() > 0.9
        assert found[~inside].mean() < 0.02


def test_a_frame_comes_out_alike_whether_those_around_it_are_filled_or_passed(
    job: Interval, exact: Any, workers: Workers
) -> None:
    plan = MotionEstimators(exact, exact, exact)
    everything = fill(job, plan, workers, 4, 7)
    for chosen in ([1], [6], [3, 8], [11], [5, 6, 7]):
        passed = [index for index in job.targets if index not in chosen]
        few = fill(replace(job, targets=chosen, passed=passed), plan, workers, 4, 7)
        assert sorted(few) == chosen
        for index in chosen:
            assert torch.equal(few[index].labels, everything[index].labels)
            assert torch.equal(few[index].confidence, everything[index].confidence)


def test_passed_frames_near_a_target_are_generated_too(film: Callable[..., Any], tmp_path: Path) -> None:
    job = make_job(film([(1, 0)] * 12), tmp_path / "clip")
    passed = [index for index in job.targets if index not in (4, 10)]
    assert with_neighbours(replace(job, targets=[4, 10], passed=passed)) == [2, 3, 4, 5, 6, 8, 9, 10, 11]


def test_several_methods_are_smoothed_apart(
    film: Callable[..., Any], exact: Any, workers: Workers, tmp_path: Path
) -> None:
    job = make_job(film([(1, 0), (0, 1)] * 4), tmp_path / "clip")
    plan = MotionEstimators(exact, exact, exact)
    steady, wild = WarpMethod(), Flickering(3, 4, 5)
    made: dict[tuple[str, int], SoftLabel] = {}
    densify(
        job,
        [steady, wild],
        plan,
        workers=workers,
        on_label=lambda name, frame: made.update({(name, frame.index): frame}),
        smooth=True,
    )
    alone = fill(job, plan, workers, 3, 4, 5)
    for index in job.targets:
        assert torch.equal(made[wild.name, index].labels, alone[index].labels)
    assert not torch.equal(made[steady.name, 4].labels, made[wild.name, 4].labels)
