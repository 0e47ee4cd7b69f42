"""Boxes hold the object, and flows are the same from whichever side, held in memory or put aside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.pipelines.intervals import make_job
from vsodtool.media.video import frame_store
from vsodtool.ops.boxes import Box, bounding_box, whole
from vsodtool.pipelines.densify.groups import groups_of
from vsodtool.pipelines.densify.interval import Interval
from vsodtool.pipelines.densify.motion import (
    CHUNK,
    CoarseMotion,
    Motion,
    MotionEstimators,
    TriedFlows,
    chunks,
)
from vsodtool.pipelines.densify.quality import motion_estimators
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.types import ignore_event

PAN = [(2, 1), (1, 0), (-1, 1), (2, -1)] * 2


@pytest.fixture
def workers() -> Iterator[Workers]:
    with ThreadPoolExecutor(2) as pool:
        yield Workers(pool)


@pytest.fixture
def clip(film: Callable[..., Any]) -> Any:
    return film(PAN, size=(96, 128), objects={1: (100, 110, 20, 24)})


def motion_of(
    interval: Interval, estimators: MotionEstimators, workers: Workers, *, everywhere: bool = False
) -> Motion:
    """That of all objects together."""
    coarse = CoarseMotion(interval, estimators, workers)
    (group,) = groups_of(interval, coarse, everywhere=everywhere or estimators.coarse is None)
    return Motion(coarse, group.boxes)


def flows(motion: Motion) -> dict[tuple[bool, int], tuple[Box, torch.Tensor]]:
    """From both sides, in the order in which they are asked for."""
    found = {}
    for backwards in (False, True):
        for position, box, pair in motion.pairs(backwards=backwards):
            assert pair.dtype is torch.float16  # as it is kept
            found[backwards, position] = (box, pair.float())
    return found


@pytest.mark.parametrize("held", [frame_store.HELD_BYTES, 1])
def test_boxes_hold_the_object_and_both_sides_see_the_same(
    clip: Any, workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    monkeypatch.setattr(frame_store, "HELD_BYTES", held)
    interval = make_job(clip, tmp_path / "clip")
    estimators = motion_estimators("dis", "balanced", torch.device("cpu"), ignore_event)
    motion = motion_of(interval, estimators, workers)
    for box, truth in zip(motion.boxes, clip.truth, strict=True):
        inside = bounding_box(torch.from_numpy(truth > 0).float(), 0.5)
        assert inside is not None
        assert box.union(inside) == box
        assert box != whole(interval.size)
    found = flows(motion)
    count = len(clip.frames) - 1
    assert list(found) == [(False, at) for at in range(count)] + [(True, at) for at in reversed(range(count))]
    for position in range(count):
        assert found[False, position][0] == motion.pair_box(position)
        assert torch.equal(found[False, position][1], found[True, position][1])
        there = found[False, position][1][0]
        expected = torch.tensor(PAN[position]).view(2, 1, 1)
        assert float((there + expected).abs().median()) < 0.1  # things move against the camera
    motion.coarse.close()


def test_an_exact_estimator_is_asked_about_whole_frames(
    clip: Any, exact: Any, workers: Workers, tmp_path: Path
) -> None:
    interval = make_job(clip, tmp_path / "clip")
    motion = motion_of(interval, MotionEstimators(exact, exact), workers)
    assert motion.boxes == [whole(interval.size)] * len(clip.frames)
    assert (
        motion_of(interval, MotionEstimators(exact, exact, exact), workers, everywhere=True).boxes
        == motion.boxes
    )
    for (_, position), (box, pair) in flows(motion).items():
        assert box == whole(interval.size)
        right, down = PAN[position]
        assert torch.equal(pair[0], torch.tensor([-right, -down]).view(2, 1, 1).expand(2, 96, 128).float())
        assert torch.equal(pair[1], -pair[0])


def test_a_flash_does_not_change_the_motion(clip: Any, workers: Workers, tmp_path: Path) -> None:
    for index, frame in enumerate(clip.frames):
        lit = frame.astype(int) // 2 + 100 * (index % 3 == 1)
        clip.frames[index] = np.clip(lit, 0, 255).astype(np.uint8)
    interval: Interval = make_job(clip, tmp_path / "clip")
    motion = motion_of(interval, motion_estimators("dis", "fast", torch.device("cpu"), ignore_event), workers)
    for (_, position), (_, pair) in flows(motion).items():
        expected = torch.tensor(PAN[position]).view(2, 1, 1)
        assert float((pair[0] + expected).abs().median()) < 0.3
    assert len(motion.boxes) == len(clip.frames)


class Counting:
    """An estimator that counts the pairs that it is asked about."""

    name = "counting"

    def __init__(self) -> None:
        self.pairs = 0

    def estimate(
        self, image_a: torch.Tensor, image_b: torch.Tensor, *, initial: torch.Tensor | None = None
    ) -> torch.Tensor:
        self.pairs += 1
        return (image_b - image_a)[:, :2]


def test_coarse_flows_of_a_trial_are_not_computed_again(clip: Any, workers: Workers, tmp_path: Path) -> None:
    interval, left = make_job(clip, tmp_path / "clip"), TriedFlows()
    coarse, positions = Counting(), range(len(clip.frames) - 1)
    estimators = MotionEstimators(coarse, coarse, coarse, leave=left)
    tried = CoarseMotion(interval, estimators, workers)
    expected = [tried.flow(position) for position in positions]
    assert coarse.pairs == len(positions)
    again = CoarseMotion(interval, replace(estimators, leave=None, left=left), workers)
    for position in positions:
        assert torch.equal(again.flow(position), expected[position])
    assert coarse.pairs == len(positions)
    other = CoarseMotion(interval, replace(estimators, leave=None, left=left), workers)
    assert torch.equal(other.flow(0), expected[0])
    assert coarse.pairs == len(positions) + 1  # each is taken once


def test_no_more_flows_are_left_than_there_is_room_for(
    clip: Any, exact: Any, workers: Workers, tmp_path: Path
) -> None:
    interval = make_job(clip, tmp_path / "clip")
    size = 2 * 2 * 24 * 32 * 2  # bytes of the flows of a pair
    left = TriedFlows(most_bytes=2 * size)
    tried = CoarseMotion(interval, MotionEstimators(exact, exact, Counting(), leave=left), workers)
    for position in range(4):
        tried.flow(position)
    found = [left.take((index, index + 1, interval.size)) is not None for index in range(4)]
    assert found == [True, True, False, False]


def test_chunks_are_all_positions_in_order() -> None:
    for count in (0, 1, CHUNK, CHUNK + 1, 3 * CHUNK):
        positions = list(range(count))
        parts = list(chunks(positions))
        assert [at for part in parts for at in part] == positions
        assert all(len(part) <= CHUNK for part in parts)
        assert all(len(first) == CHUNK for first, _ in pairwise(parts))


def test_the_name_names_each_estimator_once(exact: Any) -> None:
    assert MotionEstimators(exact, exact, exact).name == "exact-translation"
