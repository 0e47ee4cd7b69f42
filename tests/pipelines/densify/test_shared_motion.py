"""Groups whose flow sees much of the same have it computed once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.pipelines.intervals import make_job
from vsodtool.ops.boxes import Box
from vsodtool.pipelines.densify.groups import Group
from vsodtool.pipelines.densify.motion import CoarseMotion
from vsodtool.pipelines.densify.quality import motion_estimators
from vsodtool.pipelines.densify.shared_motion import PartOfMotion, motions_of, seen_together
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.types import ignore_event

PAN = [(2, 1), (1, 0), (-1, 1)]
SIZE = (96, 128)
LEFT, BESIDE, FAR = Box(16, 0, 48, 32), Box(16, 48, 48, 80), Box(64, 96, 96, 128)


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        ([LEFT], [[0]]),
        ([LEFT, FAR], [[0], [1]]),
        ([LEFT, FAR, BESIDE], [[0, 2], [1]]),
        ([LEFT, LEFT, LEFT], [[0, 1, 2]]),
    ],
)
def test_those_that_see_the_same_are_together(boxes: list[Box], expected: list[list[int]]) -> None:
    assert sorted(seen_together([[box] * 3 for box in boxes], 16, SIZE)) == expected


def boxes_of_a_frame() -> st.SearchStrategy[Box]:
    places = st.tuples(st.integers(0, 60), st.integers(0, 90), st.integers(1, 36), st.integers(1, 38))
    return places.map(lambda at: Box(at[0], at[1], at[0] + at[2], at[1] + at[3]))


def groups_of_boxes(frames: int) -> st.SearchStrategy[list[list[Box]]]:
    of_group = st.lists(boxes_of_a_frame(), min_size=frames, max_size=frames)
    return st.lists(of_group, min_size=1, max_size=6)


@given(st.integers(1, 5).flatmap(groups_of_boxes))
def test_each_group_is_in_one_list_and_nothing_costs_more(boxes: list[list[Box]]) -> None:
    found = seen_together(boxes, 8, SIZE)
    assert sorted(member for members in found for member in members) == list(range(len(boxes)))

    def pixels(members: list[int]) -> int:
        total = 0
        frames = len(boxes[0])
        for at in range(max(frames - 1, 1)):
            near = [boxes[member][each] for member in members for each in (at, min(at + 1, frames - 1))]
            joint = near[0]
            for box in near:
                joint = joint.union(box)
            height, width = joint.grow(8, 0.0, SIZE).size
            total += height * width
        return total

    assert sum(map(pixels, found)) <= sum(pixels([member]) for member in range(len(boxes)))


def test_a_part_is_cut_out_of_the_flow_of_all(film: Callable[..., Any], tmp_path: Path) -> None:
    clip = film(PAN, size=SIZE, objects={1: (90, 70, 20, 20)})
    interval = make_job(clip, tmp_path / "clip", [1, 2])
    estimators = motion_estimators("dis", "fast", torch.device("cpu"), ignore_event)
    frames, told = len(interval.sequence), list[int]()
    of_groups = [Group([number], [box] * frames) for number, box in enumerate((LEFT, FAR, BESIDE))]
    with ThreadPoolExecutor(1) as pool:
        coarse = CoarseMotion(interval, estimators, Workers(pool))
        motions = motions_of(of_groups, coarse, told.append)
        assert [type(motion) is PartOfMotion for motion in motions] == [True, False, True]
        for backwards in (False, True):
            walks = [motion.pairs(backwards=backwards) for motion in motions]
            positions = []
            for left, far, beside in zip(*walks, strict=True):
                positions.append(left[0])
                assert left[0] == far[0] == beside[0]
                assert (left[1], far[1], beside[1]) == (LEFT, FAR, BESIDE)
                assert left[2].shape == (2, 2, *LEFT.size)
                assert beside[2].shape == (2, 2, *BESIDE.size)
            assert positions == sorted(range(frames - 1), reverse=backwards)
    assert sum(told) == frames - 1  # those of the first group, once
