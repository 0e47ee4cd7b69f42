"""One interval: bounded pieces of work, and an end when nobody wants the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.pipelines.intervals import make_job
from vsodtool.media.video import frame_store
from vsodtool.models.evidence.architecture import EvidenceArchitecture
from vsodtool.models.evidence.densifier import EvidenceDensifier
from vsodtool.models.weights.networks import create_network
from vsodtool.ops.labels.matching import Search
from vsodtool.pipelines.densify.filling.evidence import Evidence
from vsodtool.pipelines.densify.filling.fill import Finish, densify
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval
from vsodtool.pipelines.densify.method import Method, Wants, WarpMethod
from vsodtool.pipelines.densify.methods.learned import LearnedMethod
from vsodtool.pipelines.densify.motion import CHUNK, MotionEstimators
from vsodtool.pipelines.densify.quality import motion_estimators
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.types import ignore_event


class Watched(Workers):
    """Remembers how many pieces were handed out at once."""

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        super().__init__(executor)
        self.sizes: list[int] = []
        self.is_cancelled = False

    def cancelled(self) -> bool:
        return self.is_cancelled

    def map(self, work: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        todo = list(items)
        self.sizes.append(len(todo))
        return super().map(work, todo)


@pytest.fixture
def workers() -> Iterator[Watched]:
    with ThreadPoolExecutor(2) as pool:
        yield Watched(pool)


def keep(found: list[SoftLabel]) -> Callable[[str, SoftLabel], None]:
    return lambda _, label: found.append(label)


@pytest.mark.parametrize("empty", [[], [0], [-1], [0, -1]])
def test_no_piece_of_work_grows_with_the_interval(
    film: Callable[..., Any], exact: Any, workers: Watched, tmp_path: Path, empty: list[int]
) -> None:
    clip = film([(1, 0), (-1, 0)] * 15)
    for index in empty:
        clip.truth[index][:] = 0
    found: list[SoftLabel] = []
    job = make_job(clip, tmp_path / "clip")
    plan = MotionEstimators(exact, exact, exact)
    densify(job, [WarpMethod()], plan, workers=workers, on_label=keep(found))
    assert sorted(frame.index for frame in found) == job.targets
    assert max(workers.sizes) <= CHUNK
    if len(empty) == 2:
        assert all(float(frame.labels.max()) == 0 for frame in found)
        assert all(float(frame.confidence.min()) == 1 for frame in found)


@pytest.mark.parametrize("held", [frame_store.HELD_BYTES, 1])
def test_a_frame_comes_out_alike_whether_those_around_it_are_filled_or_passed(
    film: Callable[..., Any], workers: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    monkeypatch.setattr(frame_store, "HELD_BYTES", held)
    clip = film([(1, 0), (0, 1), (-1, 1)] * 4)
    job = make_job(clip, tmp_path / "clip")
    plan = motion_estimators("dis", "fast", torch.device("cpu"), ignore_event)
    made: dict[int, SoftLabel] = {}
    densify(job, [WarpMethod()], plan, workers=workers, on_label=lambda _, one: made.update({one.index: one}))
    passed = [index for index in job.targets if index not in (3, 8)]
    few = replace(job, targets=[3, 8], passed=passed)
    assert few.sequence == job.sequence
    again: list[SoftLabel] = []
    densify(few, [WarpMethod()], plan, workers=workers, on_label=keep(again))
    assert sorted(frame.index for frame in again) == [3, 8]
    for frame in again:
        assert torch.equal(frame.labels, made[frame.index].labels)
        assert torch.equal(frame.confidence, made[frame.index].confidence)


class Named(WarpMethod):
    def __init__(self, name: str, *, edges: bool) -> None:
        super().__init__(edges=edges)
        self.name = name


def test_several_methods_on_one_evidence_answer_as_each_alone(
    film: Callable[..., Any], exact: Any, workers: Watched, tmp_path: Path
) -> None:
    job = make_job(film([(1, 0), (0, 1)] * 3), tmp_path / "clip")
    plan = MotionEstimators(exact, exact, exact)
    generators = [Named("plain", edges=False), Named("edges", edges=True)]
    together: dict[tuple[str, int], SoftLabel] = {}
    densify(
        job,
        generators,
        plan,
        workers=workers,
        on_label=lambda name, frame: together.update({(name, frame.index): frame}),
    )
    assert len(together) == 2 * len(job.targets)
    for generator in generators:
        alone: list[SoftLabel] = []
        densify(job, [generator], plan, workers=workers, on_label=keep(alone))
        for frame in alone:
            assert torch.equal(frame.labels, together[generator.name, frame.index].labels)
    assert not torch.equal(together["plain", 3].labels, together["edges", 3].labels)


class Inline(Executor):
    """Does everything at once, in this thread."""

    def submit(self, work: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(work(*args, **kwargs))
        return done


class OnCpu:
    """An estimator that computes on the CPU, whatever the default device is."""

    name = "on-cpu"

    def __init__(self, estimator: Any) -> None:
        self._estimator = estimator

    def estimate(self, *images: torch.Tensor, initial: torch.Tensor | None = None) -> torch.Tensor:
        with torch.device("cpu"):
            found: torch.Tensor = self._estimator.estimate(*images)
        return found


@pytest.fixture(params=[frame_store.HELD_BYTES, 1], ids=["short", "long"])
def interval(
    film: Callable[..., Any], tmp_path: Path, request: Any, monkeypatch: pytest.MonkeyPatch
) -> Interval:
    """A thing and another light in the middle; in memory, or put aside."""
    monkeypatch.setattr(frame_store, "HELD_BYTES", request.param)
    clip = film([(1, 0), (0, 1)] * 3)
    for index in (2, 3):
        clip.frames[index] //= 2
    return make_job(clip, tmp_path / "clip")


@pytest.mark.parametrize("method", ["rules", "learned"])
def test_everything_stays_where_the_labels_are(interval: Interval, exact: Any, method: str) -> None:
    """With another default device, a tensor made without asking where would not go with the others."""
    estimator = OnCpu(exact)
    estimators = MotionEstimators(estimator, estimator, estimator)
    chosen: Method = WarpMethod(Search(radius=3), edges=True)
    if method == "learned":
        torch.manual_seed(0)
        network = create_network(EvidenceArchitecture(fine_width=8, middle_width=8, coarse_width=8))
        chosen = LearnedMethod(EvidenceDensifier(network, device=torch.device("cpu")), chosen, mirrored=True)
    found: list[SoftLabel] = []
    with torch.device("meta"):
        densify(
            interval,
            [chosen],
            estimators,
            workers=Workers(Inline()),
            on_label=keep(found),
            finish=Finish(smooth=True),
        )
    assert sorted(label.index for label in found) == interval.targets
    assert all(bool(torch.isfinite(label.certainty).all()) for label in found)


def test_nothing_is_begun_once_cancelled(
    film: Callable[..., Any], exact: Any, workers: Watched, tmp_path: Path
) -> None:
    found: list[SoftLabel] = []
    workers.is_cancelled = True
    densify(
        make_job(film([(1, 0)] * 30), tmp_path / "clip"),
        [WarpMethod()],
        MotionEstimators(exact, exact, exact),
        workers=workers,
        on_label=keep(found),
    )
    assert not found
    assert sum(workers.sizes) <= CHUNK  # of 30 pairs
    assert torch.is_grad_enabled()


class Doubtful:
    """Says of two objects that each is the other, but is not sure of it."""

    name, wants = "doubtful", Wants.BOXES

    def generate(self, evidence: Evidence) -> SoftLabel:
        labels = evidence.labels[:1]
        mixed = 0.45 * labels + 0.55 * labels.flip(1)
        return evidence.answer(mixed, torch.full_like(labels[:, :1], 0.5))


def test_of_several_objects_colours_say_whose_a_doubtful_pixel_is(
    film: Callable[..., Any], exact: Any, workers: Watched, tmp_path: Path
) -> None:
    clip = film([(0, 0)] * 4)
    for frame, truth in zip(clip.frames, clip.truth, strict=True):
        frame[:], truth[:] = (90, 90, 90), 0
        frame[8:24, 8:20], truth[8:24, 8:20] = (220, 30, 30), 1
        frame[8:24, 20:32], truth[8:24, 20:32] = (30, 30, 220), 2
    ids = [1, 2]
    job = make_job(clip, tmp_path / "clip", ids)
    found: list[SoftLabel] = []
    densify(job, [Doubtful()], MotionEstimators(exact, exact), workers=workers, on_label=keep(found))
    assert sorted(label.index for label in found) == job.targets
    for label in found:
        assert (label.ids(ids) == clip.truth[label.index]).all()


@pytest.mark.parametrize("held", [frame_store.HELD_BYTES, 1], ids=["short", "long"])
def test_objects_far_apart_come_out_as_each_by_itself(
    film: Callable[..., Any], workers: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    monkeypatch.setattr(frame_store, "HELD_BYTES", held)
    clip = film([(2, 1), (-1, 0)] * 4, size=(96, 128), objects={1: (90, 70, 20, 20), 3: (90, 150, 20, 24)})
    ids = [1, 2, 3]
    job = make_job(clip, tmp_path / "clip", ids)
    plan = motion_estimators("dis", "fast", torch.device("cpu"), ignore_event)

    def filled(interval: Interval) -> dict[int, SoftLabel]:
        found: list[SoftLabel] = []
        seen: list[int] = []
        flows: list[int] = []
        method = WarpMethod(Search(radius=3), edges=True)
        densify(
            interval,
            [method],
            plan,
            workers=workers,
            on_label=keep(found),
            finish=Finish(smooth=True),
            on_seen=seen.append,
            on_flow=flows.append,
        )
        assert sorted(label.index for label in found) == job.targets
        assert sum(seen) == len(job.targets)
        assert sum(flows) >= len(clip.frames) - 1
        return {label.index: label for label in found}

    together = filled(job)
    assert max(workers.sizes) <= CHUNK
    for channel in (0, 2):
        for index, label in filled(job.only([channel])).items():
            box = label.box.shift(-together[index].box.top, -together[index].box.left)
            assert torch.equal(box.crop(together[index].labels)[:, channel], label.labels[:, 0])
            assert float(together[index].labels[:, channel].sum()) == pytest.approx(float(label.labels.sum()))
    for index, label in together.items():
        wrong = label.ids(ids) != clip.truth[index]
        assert wrong.mean() < 0.01
