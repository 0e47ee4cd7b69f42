"""`--method sam2` against the library's own loop, and how both directions meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.pipelines.intervals import make_job
from tests.tiny_sam2 import write_tiny_sam2
from vsodtool.media.video import frame_store
from vsodtool.media.weights.pretrained import read_sam2
from vsodtool.models.sam2.tracker import Sam2Tracker
from vsodtool.ops.confidence import ONE_SIDED, to_bytes
from vsodtool.ops.labels.directions import CERTAIN, Direction, combine
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval
from vsodtool.pipelines.densify.methods import sam2
from vsodtool.pipelines.densify.methods.sam2 import Sam2Method, way_from
from vsodtool.pipelines.densify.side_by_side import Workers

CPU = torch.device("cpu")
LENGTH = 20  # frames; more than the network remembers
Film = Callable[..., Any]


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sam2Tracker]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    network, processor, _ = read_sam2(write_tiny_sam2(tmp_path_factory.mktemp("weights") / "tiny"))
    yield Sam2Tracker(network, processor, device=CPU)
    torch.set_num_threads(threads)


@pytest.fixture
def job(film: Film, tmp_path: Path) -> Interval:
    return make_job(film([(1, 0), (0, 1), (-1, 0)] * 6 + [(0, -1)]), tmp_path / "clip")


def filled(tracker: Sam2Tracker, interval: Interval, *, threads: int = 2) -> dict[int, SoftLabel]:
    found: dict[int, SoftLabel] = {}
    seen: list[int] = []
    with ThreadPoolExecutor(threads) as pool:
        Sam2Method(tracker).walk(
            interval, Workers(pool), lambda label: found.update({label.index: label}), seen.append
        )
    assert sum(seen) == (len(found) if len(interval.labelled) == 2 else 0)
    return found


def of_library(tracker: Sam2Tracker, interval: Interval, *, reverse: bool) -> list[Any]:
    """What `propagate_in_video_iterator` yields over the frames of an interval, by their order."""
    known, processor = interval.right if reverse else interval.left, tracker.processor
    assert known is not None
    frames = [interval.rgb(index) for index in interval.sequence]
    first = interval.sequence.index(known.index)
    session = processor.init_video_session(video=frames, inference_device="cpu")
    mask = known.labels[0, 0].numpy() > 0
    processor.add_inputs_to_inference_session(session, frame_idx=first, obj_ids=[7], input_masks=mask)
    tracker.network(inference_session=session, frame_idx=first)
    made = list(tracker.network.propagate_in_video_iterator(session, start_frame_idx=first, reverse=reverse))
    return sorted(made, key=lambda output: output.frame_idx)


@pytest.mark.parametrize("reverse", [False, True])
def test_from_one_label_the_masks_are_those_of_the_library(
    tracker: Sam2Tracker, job: Interval, reverse: bool
) -> None:
    theirs = of_library(tracker, job, reverse=reverse)
    made = filled(tracker, replace(job, left=None) if reverse else replace(job, right=None))
    assert list(made) == sorted(job.targets, reverse=reverse)
    areas = []
    for index in job.targets:
        (expected,) = tracker.processor.post_process_masks(
            [theirs[index].pred_masks], [job.size], binarize=True
        )
        found = made[index].ids([1]) > 0
        np.testing.assert_array_equal(found, expected[0, 0].numpy())
        areas.append(int(found.sum()))
        assert made[index].trust.max() <= ONE_SIDED
    assert len(set(areas)) > 3  # they say something


def test_between_labels_both_directions_of_the_library_are_combined(
    tracker: Sam2Tracker, job: Interval
) -> None:
    forwards, backwards = (of_library(tracker, job, reverse=reverse) for reverse in (False, True))
    made = filled(tracker, job)
    assert sorted(made) == job.targets
    last = job.sequence[-1]
    for index in job.targets:
        directions = [
            Direction(output.pred_masks.half(), output.object_score_logits, distance)
            for output, distance in ((forwards[index], index), (backwards[index], last - index))
        ]
        labels, trust = combine(directions, job.size)
        assert torch.equal(made[index].labels, labels)
        assert torch.equal(made[index].trust, trust)


def test_the_order_in_which_they_meet_changes_nothing(tracker: Sam2Tracker, job: Interval) -> None:
    alone, together = filled(tracker, job, threads=1), filled(tracker, job, threads=2)
    for index in job.targets:
        assert torch.equal(alone[index].labels, together[index].labels)
        assert torch.equal(alone[index].trust, together[index].trust)


@pytest.mark.parametrize("long", [False, True])
def test_what_is_kept_on_disk_comes_back(
    tracker: Sam2Tracker, film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long: bool
) -> None:
    expected = filled(tracker, make_job(film([(1, 0)] * 8), tmp_path / "short" / "clip"))
    if long:
        monkeypatch.setattr(frame_store, "HELD_BYTES", 1)
    else:
        monkeypatch.setattr(sam2, "HELD_BYTES", 1)
    interval = make_job(film([(1, 0)] * 8), tmp_path / "long" / "clip")
    assert interval.frames.is_long is long
    made = filled(tracker, interval)
    for index, label in expected.items():
        assert torch.equal(made[index].labels, label.labels)
    assert [path.name for path in (tmp_path / "long").iterdir()] == ["clip"]


def test_passed_frames_are_walked_through_and_no_further_than_needed(
    tracker: Sam2Tracker, job: Interval
) -> None:
    whole = filled(tracker, job)
    hidden = replace(job, targets=[6], passed=[index for index in job.targets if index != 6])
    assert job.left is not None
    assert job.right is not None
    assert way_from(hidden, job.left) == [1, 2, 3, 4, 5, 6]
    assert way_from(hidden, job.right) == list(range(18, 5, -1))
    made = filled(tracker, hidden)
    assert list(made) == [6]
    assert torch.equal(made[6].labels, whole[6].labels)


def test_an_empty_label_says_that_nothing_is_there(tracker: Sam2Tracker, job: Interval) -> None:
    assert job.left is not None
    assert job.right is not None
    empty = replace(job.left, labels=torch.zeros_like(job.left.labels))
    nothing = filled(tracker, replace(job, left=empty, right=None))
    assert all(not label.ids([1]).any() for label in nothing.values())
    assert min(float(label.confidence.min()) for label in nothing.values()) > 0.79
    # It ends the object's way from that side; from the other it comes back.
    mixed, alone = filled(tracker, replace(job, left=empty)), filled(tracker, replace(job, left=None))
    assert not mixed[1].ids([1]).any()
    assert alone[18].ids([1]).any()
    far = CERTAIN * (1 - 2 * 1 / 19)  # the logit -CERTAIN of weight 18 / 19 against at most CERTAIN
    assert float(mixed[1].labels.max()) <= float(torch.tensor(-far + 1e-3).sigmoid())
    assert np.count_nonzero(to_bytes(mixed[18].labels)) > 0


def test_objects_compete_and_none_is_made_up(tracker: Sam2Tracker, film: Film, tmp_path: Path) -> None:
    job = make_job(film([(1, 0)] * 4), tmp_path / "clip")
    assert job.left is not None
    assert job.right is not None
    own = job.left.labels
    two, third = torch.cat((own, own.roll(9, -1), torch.zeros_like(own)), dim=1), torch.zeros_like(own)
    left = replace(job.left, labels=two)
    right = replace(job.right, labels=torch.cat((job.right.labels, third, third), dim=1))
    for label in filled(tracker, replace(job, left=left, right=right)).values():
        assert label.labels.shape[1] == 3
        assert float(label.labels.sum(dim=1).max()) <= 1 + 1e-5
        assert 3 not in label.ids([1, 2, 3])


def test_it_stops_when_nobody_wants_the_rest(tracker: Sam2Tracker, job: Interval) -> None:
    made: list[SoftLabel] = []

    class Cancelled(Workers):
        def cancelled(self) -> bool:
            return len(made) >= 2

    with ThreadPoolExecutor(1) as pool:
        Sam2Method(tracker).walk(replace(job, right=None), Cancelled(pool), made.append, lambda _: None)
    assert [label.index for label in made] == [1, 2]
