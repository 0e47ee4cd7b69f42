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
from vsodtool.pipelines.densify.filling import smoothing
from vsodtool.pipelines.densify.filling.evidence import Evidence
from vsodtool.pipelines.densify.filling.fill import Finish, densify, in_between, with_neighbours
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval
from vsodtool.pipelines.densify.method import WarpMethod
from vsodtool.pipelines.densify.motion import CoarseMotion, MotionEstimators
from vsodtool.pipelines.densify.quality import motion_estimators
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.types import ignore_event

NONE = range(0)


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
        self.seen: list[int] = []

    def generate(self, evidence: Evidence) -> SoftLabel:
        self.seen.append(evidence.index)
        made = super().generate(evidence)
        labels = made.labels.clamp(max=0.3) if evidence.index in self._lost else made.labels
        return replace(made, labels=labels)


def fill(
    job: Interval, plan: MotionEstimators, workers: Workers, method: Flickering, *, thinned: range = NONE
) -> dict[int, SoftLabel]:
    made: dict[int, SoftLabel] = {}
    densify(
        job,
        [method],
        plan,
        workers=workers,
        on_label=lambda _, frame: made.update({frame.index: frame}),
        finish=Finish(smooth=True, thinned=thinned),
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
    made = fill(job, MotionEstimators(exact, exact, exact), workers, Flickering(*lost))
    assert sorted(made) == job.targets
    for index in lost:
        inside, found = clip.truth[index] > 0, made[index].ids([1]) > 0
        assert found[inside].mean() > 0.9
        assert found[~inside].mean() < 0.02


@pytest.mark.parametrize("thinned", [NONE, range(4, 13)])
def test_a_frame_comes_out_alike_whether_those_around_it_are_filled_or_passed(
    job: Interval, exact: Any, workers: Workers, thinned: range
) -> None:
    plan = MotionEstimators(exact, exact, exact)
    everything = fill(job, plan, workers, Flickering(4, 7), thinned=thinned)
    for chosen in ([1], [6], [3, 8], [11], [5, 6, 7]):
        passed = [index for index in job.targets if index not in chosen]
        few = fill(
            replace(job, targets=chosen, passed=passed), plan, workers, Flickering(4, 7), thinned=thinned
        )
        assert sorted(few) == chosen
        for index in chosen:
            assert torch.equal(few[index].labels, everything[index].labels)
            assert torch.equal(few[index].confidence, everything[index].confidence)


def test_passed_frames_near_a_target_are_generated_too(film: Callable[..., Any], tmp_path: Path) -> None:
    job = make_job(film([(1, 0)] * 12), tmp_path / "clip")
    passed = [index for index in job.targets if index not in (4, 10)]
    assert with_neighbours(replace(job, targets=[4, 10], passed=passed)) == [2, 3, 4, 5, 6, 8, 9, 10, 11]


def test_every_second_frame_is_taken_from_those_beside_it(
    clip: Any, job: Interval, exact: Any, workers: Workers
) -> None:
    method = Flickering()
    made = fill(job, MotionEstimators(exact, exact, exact), workers, method, thinned=range(11, 13))
    assert sorted(made) == job.targets == list(range(1, 12))
    ends = [index for index, known in ((1, job.left), (11, job.right)) if known is None]
    assert sorted(method.seen) == sorted([2, 4, 6, 8, 10, *ends])
    for index in job.targets:
        inside, found = clip.truth[index] > 0, made[index].ids([1]) > 0
        assert (found & inside).sum() / (found | inside).sum() > 0.95
        assert made[index].frame_confidence > 0.8


def test_only_frames_between_are_pulled_to_their_edges(
    job: Interval, exact: Any, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    method, pulled = Flickering(), list[torch.Tensor]()

    def aligned(labels: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
        assert labels.shape[-2:] == image.shape[-2:]
        pulled.append(labels * 0.9)
        return pulled[-1]

    monkeypatch.setattr(smoothing, "align_to_edges", aligned)
    made = fill(job, MotionEstimators(exact, exact, exact), workers, method, thinned=range(11, 13))
    between = set(job.targets) - set(method.seen)
    assert len(pulled) == len(between) > 0
    for index in job.targets:
        assert (index in between) == any(torch.equal(made[index].labels, each) for each in pulled)


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_last_frame_beside_one_label_is_made(
    film: Callable[..., Any], exact: Any, workers: Workers, tmp_path: Path, side: str
) -> None:
    job = replace(make_job(film([(1, 0)] * 9), tmp_path / "clip"), **{side: None})
    motion = CoarseMotion(job, MotionEstimators(exact, exact), workers)
    between = {job.sequence[at] for at in in_between(job, motion)}
    assert between == ({1, 3, 5, 7} if side == "right" else {2, 4, 6, 8})
    motion.close()


def test_between_frames_of_different_light_every_frame_is_made(
    film: Callable[..., Any], tmp_path: Path, workers: Workers
) -> None:
    clip = film([(0, 0)] * 8)
    clip.frames[5:] = [(frame * 0.5).astype(frame.dtype) for frame in clip.frames[5:]]
    job = make_job(clip, tmp_path / "clip")
    motion = CoarseMotion(job, motion_estimators("dis", "fast", torch.device("cpu"), ignore_event), workers)
    motion.places()
    assert in_between(job, motion) == {1, 3, 7}  # not 5, which is darker than 4
    motion.close()


def test_short_intervals_are_made_whole(job: Interval, exact: Any, workers: Workers) -> None:
    plan = MotionEstimators(exact, exact, exact)
    whole, thinned = (fill(job, plan, workers, Flickering(), thinned=gaps) for gaps in (NONE, range(13, 99)))
    assert all(torch.equal(whole[index].labels, thinned[index].labels) for index in job.targets)


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
        finish=Finish(smooth=True),
    )
    alone = fill(job, plan, workers, Flickering(3, 4, 5))
    for index in job.targets:
        assert torch.equal(made[wild.name, index].labels, alone[index].labels)
    assert not torch.equal(made[steady.name, 4].labels, made[wild.name, 4].labels)
