"""The tracker over clips of a red object, by a backbone that sees colours: where it is, is known."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.pipelines.intervals import make_job
from vsodtool.media.video import frame_store
from vsodtool.models.backbones.efficientnet_lite import EfficientNetLiteBackbone
from vsodtool.ops.labels import tracking
from vsodtool.ops.resize import resize_maps
from vsodtool.pipelines.densify.filling import tracking as filling
from vsodtool.pipelines.densify.filling.evidence import Shelf
from vsodtool.pipelines.densify.filling.far import Tracked, overlap
from vsodtool.pipelines.densify.filling.tracking import Followed, Tracker, combine
from vsodtool.pipelines.densify.interval import Interval
from vsodtool.pipelines.densify.side_by_side import Workers

Film = Callable[..., Any]
JUMP = [(0, 0)] * 3 + [(-14, -9)] + [(0, 0)] * 3  # the camera leaps: flow cannot follow that

FOUND = 0.6  # J; where it was before the leap it would be 0


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "AREA", 160 * 224)  # else these clips would be enlarged for seconds


@pytest.fixture
def workers() -> Iterator[Workers]:
    with ThreadPoolExecutor(2) as pool:
        yield Workers(pool)


class Colours(nn.Module):
    """Means of the colours at a quarter, an eighth and a sixteenth."""

    def shallow(self, images: Tensor) -> tuple[Tensor, ...]:
        return tuple(functional.avg_pool2d(images, side) for side in (4, 8, 16))


def backbone() -> EfficientNetLiteBackbone:
    return cast("EfficientNetLiteBackbone", Colours())


@pytest.fixture
def film(film: Film) -> Film:
    """Clips whose objects are red, and nothing else is."""

    def coloured(*args: Any) -> Any:
        clip = film(*args)
        for frame, ids in zip(clip.frames, clip.truth, strict=True):
            frame[..., 0] = 0
            frame[ids > 0] = (255, 0, 0)
        return clip

    return coloured


def tracker_of(truth: list[npt.NDArray[np.uint8]]) -> Tracker:
    """A tracker that is told what is salient: the objects."""

    def saliency(rgbs: Iterable[Any], count: int) -> Iterator[Tensor]:
        assert count == len(truth)
        for _, ids in zip(rgbs, truth, strict=True):
            yield torch.from_numpy(ids > 0).float()[None, None]

    return Tracker(backbone, lambda: saliency, torch.device("cpu"))


def j(tracked: Tracked, truth: npt.NDArray[np.uint8], number: int = 1) -> float:
    found = resize_maps(tracked.labels[None, number - 1 : number].float(), truth.shape) > 127
    return overlap(found[0, 0], torch.from_numpy(truth == number))


def test_an_object_is_found_again_where_the_camera_leaps(
    film: Film, workers: Workers, tmp_path: Path
) -> None:
    clip = film(JUMP)
    interval = replace(make_job(clip, tmp_path / "clip"), right=None)
    tracked = tracker_of(clip.truth[:-1]).follow(interval, workers)
    assert list(tracked) == interval.targets
    assert min(j(tracked[index], clip.truth[index]) for index in interval.targets) > FOUND
    assert all(each.salient > FOUND for each in tracked.values())


def test_between_two_labels_and_backwards(film: Film, workers: Workers, tmp_path: Path) -> None:
    clip = film(JUMP)
    both = make_job(clip, tmp_path / "clip")
    done: list[float] = []
    tracked = tracker_of(clip.truth).follow(both, workers, done.append)
    assert len(done) > len(both.targets)
    assert sum(done) == pytest.approx(1)
    assert min(j(tracked[index], clip.truth[index]) for index in both.targets) > FOUND
    assert all((each.met[0] or 0) > FOUND and each.reached[0] > FOUND for each in tracked.values())
    tracked = tracker_of(clip.truth[1:]).follow(replace(both, left=None), workers)
    assert all(not each.met for each in tracked.values())
    assert min(j(tracked[index], clip.truth[index]) for index in both.targets) > FOUND


def test_what_no_label_shows_is_nowhere(film: Film, workers: Workers, tmp_path: Path) -> None:
    clip = film(JUMP)
    interval = replace(make_job(clip, tmp_path / "clip"), right=None)
    labels = torch.cat((interval.known.labels, torch.zeros_like(interval.known.labels)), dim=1)
    interval = replace(interval, left=replace(interval.known, labels=labels))
    tracked = tracker_of(clip.truth[:-1]).follow(interval, workers)
    assert all(int(each.labels[1].max()) == 0 for each in tracked.values())
    assert min(j(tracked[index], clip.truth[index]) for index in interval.targets) > FOUND


def test_what_neither_walk_finds_did_not_meet(film: Film, workers: Workers, tmp_path: Path) -> None:
    interval = make_job(film(JUMP), tmp_path / "clip")
    found = torch.full((2, 4, 4), -5.0)
    found[0, :2] = 5.0  # the first object is at the top, the second one nowhere

    def walks(*lengths: int) -> list[Shelf]:
        ways = (interval.sequence[1:], interval.sequence[-2::-1])
        shelves = [Shelf(interval) for _ in ways]
        for shelf, way, length in zip(shelves, ways, lengths, strict=True):
            for index in way[:length]:
                shelf.put(index, found)
        return shelves

    whole = len(interval.sequence) - 1
    given = torch.zeros(2, 4, 4)
    given[0, 0] = 1
    small: Any = SimpleNamespace(
        noticed=[1.0, 1.0],
        own_salience=lambda *_: (torch.ones(1, 1, 4, 4), None),
        labels={known.index: given for known in interval.labelled},
    )
    tracked = combine(interval, walks(whole, whole), small)
    assert list(tracked) == interval.targets
    assert all(each.met == [1.0, None] and each.salient == 0.5 for each in tracked.values())
    assert all(each.reached == [0.5, 1.0] for each in tracked.values())
    assert not combine(interval, walks(whole, whole - 1), small)  # cancelled


def test_long_intervals_lie_on_disk_and_give_the_same(
    film: Film, workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = film(JUMP)
    short = make_job(clip, tmp_path / "short" / "clip")
    expected = tracker_of(clip.truth).follow(short, workers)
    monkeypatch.setattr(frame_store, "HELD_BYTES", 0)
    long = make_job(clip, tmp_path / "long" / "clip")
    assert long.frames.is_long
    found = tracker_of(clip.truth).follow(long, workers)
    assert all(torch.equal(found[index].labels, expected[index].labels) for index in short.targets)
    assert [path.name for path in (tmp_path / "long").iterdir()] == ["clip"]  # nothing is left behind


@pytest.mark.parametrize("ends", ["both", "left", "right"])
def test_of_a_long_interval_hardly_anything_is_held(
    film: Film, workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    """What each walk finds of each frame weighs 65 kB an object: it lies on disk, or is used at once."""
    walked: list[weakref.ref[Tensor]] = []

    def walk(*args: Any) -> Iterator[tuple[int, Tensor]]:
        for index, odds in own_walk(*args):
            walked.append(weakref.ref(odds))
            yield index, odds
            del odds
            assert sum(ref() is not None for ref in walked) <= 2

    own_walk = filling.walk
    monkeypatch.setattr(filling, "walk", walk)
    monkeypatch.setattr(frame_store, "HELD_BYTES", 0)
    clip = film([*JUMP, *JUMP])
    interval = make_job(clip, tmp_path / "clip")
    seen = slice(int(ends == "right"), len(clip.truth) - int(ends == "left"))
    interval = replace(
        interval,
        left=None if ends == "right" else interval.left,
        right=None if ends == "left" else interval.right,
    )
    tracked = tracker_of(clip.truth[seen]).follow(interval, workers)
    assert list(tracked) == interval.targets
    assert len(walked) == len(interval.labelled) * (len(interval.sequence) - 1)


def test_labels_are_held_packed() -> None:
    """Those of 96 x 168 cells, as the tracker's are: an object that fills a twentieth of the frame."""
    labels = torch.zeros(2, 96, 168, dtype=torch.uint8)
    labels[0, 20:48, 30:58] = torch.randint(0, 256, (28, 28), dtype=torch.uint8)
    found = Followed()
    for index in (9, 3):
        found.put(index, Tracked(labels, 0.5, [1.0, 0.0]))
    assert list(found) == [3, 9]
    assert torch.equal(found[9].labels, labels)
    assert found[3].salient == 0.5
    assert found[3].noticed == [1.0, 0.0]
    assert found.get(4) is None
    assert sum(len(packed) for _, packed in found._held.values()) < labels.numel() / 10


def test_objects_that_are_not_what_is_salient_are_left_to_motion(
    film: Film, workers: Workers, tmp_path: Path
) -> None:
    clip = film(JUMP)
    elsewhere = [np.zeros_like(ids) for ids in clip.truth[:-1]]
    for ids in elsewhere:
        ids[-12:, -12:] = 1
    interval = replace(make_job(clip, tmp_path / "clip"), right=None)
    assert tracker_of(elsewhere).follow(interval, workers) == {}
    labels = torch.zeros_like(interval.known.labels)
    labels[..., -12:, -12:] = 1  # another object is
    both = torch.cat((interval.known.labels, labels), dim=1)
    interval = replace(interval, left=replace(interval.known, labels=both))
    tracked = tracker_of(elsewhere).follow(interval, workers)
    assert list(tracked) == interval.targets
    assert all(each.noticed == [0, 1] for each in tracked.values())


def test_of_two_salient_things_the_masked_one_is_followed(
    film: Film, workers: Workers, tmp_path: Path
) -> None:
    clip = film(JUMP, (40, 56), (60, 60), {1: (72, 80, 12, 15), 2: (80, 62, 12, 14)})
    for frame, ids in zip(clip.frames, clip.truth, strict=True):
        frame[ids == 2] = (0, 0, 255)
    one = [(ids == 1).astype(np.uint8) for ids in clip.truth]
    interval = replace(make_job(replace(clip, truth=one), tmp_path / "clip"), right=None)
    tracked = tracker_of(clip.truth[:-1]).follow(interval, workers)
    assert min(j(tracked[index], one[index]) for index in interval.targets) > FOUND
    assert all(each.salient > FOUND for each in tracked.values())  # the other one is not missed
    assert all(each.noticed == [1] for each in tracked.values())


def test_cancelled_work_comes_to_an_end(film: Film, workers: Workers, tmp_path: Path) -> None:
    clip = film(JUMP)
    interval: Interval = make_job(clip, tmp_path / "clip")
    workers.cancelled = lambda: True  # type: ignore[method-assign]
    assert tracker_of(clip.truth).follow(interval, workers) == {}
