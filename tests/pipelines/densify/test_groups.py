"""Objects that never meet are apart, each group on boxes that hold it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.pipelines.intervals import make_job
from vsodtool.ops.boxes import Box, bounding_box, whole
from vsodtool.pipelines.densify.groups import Group, apart, groups_of
from vsodtool.pipelines.densify.motion import CoarseMotion
from vsodtool.pipelines.densify.quality import motion_estimators
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.types import ignore_event

PAN = [(2, 1), (1, 0), (-1, 1)] * 2
LEFT, RIGHT, BESIDE = (90, 70, 20, 20), (90, 150, 20, 24), (90, 92, 20, 20)
NEAR = (90, 112, 20, 20)


@st.composite
def places(draw: st.DrawFn) -> dict[int, list[Box | None]]:
    count, frames = draw(st.integers(1, 6)), draw(st.integers(1, 3))

    def box() -> Box | None:
        top, left = draw(st.integers(0, 20)), draw(st.integers(0, 20))
        return draw(st.sampled_from([None, Box(top, left, top + 5, left + 5)]))

    return {2 * number: [box() for _ in range(frames)] for number in range(count)}


@given(places())
def test_groups_are_those_that_meet_on_any_way(found: dict[int, list[Box | None]]) -> None:
    groups = apart(found)
    assert sorted(number for group in groups for number in group) == sorted(found)
    assert groups == sorted(sorted(group) for group in groups)
    meeting = {
        (one, other)
        for one, other in combinations(found, 2)
        for first, second in zip(found[one], found[other], strict=True)
        if first is not None and second is not None and first.meets(second)
    }
    for group in groups:
        assert not any((one in group) != (other in group) for one, other in meeting)
        reached = {group[0]}
        for _ in group:
            reached |= {each for pair in meeting if reached.intersection(pair) for each in pair}
        assert reached == set(group)


def groups(
    film: Callable[..., Any], folder: Path, objects: dict[int, Any], *, everywhere: bool = False
) -> tuple[Any, list[Group]]:
    clip = film(PAN, size=(96, 128), objects=objects)
    interval = make_job(clip, folder / "clip", [1, 2, 3])
    estimators = motion_estimators("dis", "fast", torch.device("cpu"), ignore_event)
    with ThreadPoolExecutor(1) as pool:
        coarse = CoarseMotion(interval, estimators, Workers(pool))
        return clip, groups_of(interval, coarse, everywhere=everywhere)


def test_objects_far_apart_have_boxes_of_their_own(film: Callable[..., Any], tmp_path: Path) -> None:
    clip, found = groups(film, tmp_path, {1: LEFT, 3: RIGHT})  # the second one is nowhere
    assert [group.objects for group in found] == [[0], [2]]
    for group in found:
        assert not group.hiding
        for box, truth in zip(group.boxes, clip.truth, strict=True):
            inside = bounding_box(torch.from_numpy(truth == group.objects[0] + 1).float(), 0.5)
            assert inside is not None
            assert box.union(inside) == box
            assert box != whole((96, 128))


@pytest.mark.parametrize(
    ("objects", "everywhere", "expected"),
    [
        ({1: LEFT, 2: BESIDE}, False, ([[0, 1]], True)),
        ({1: LEFT, 2: NEAR}, False, ([[0, 1]], False)),
        ({1: LEFT, 3: RIGHT}, True, ([[0, 1, 2]], True)),
        ({}, False, ([[0, 1, 2]], False)),
    ],
    ids=["touching", "close", "everywhere", "none"],
)
def test_else_they_are_together(
    film: Callable[..., Any], tmp_path: Path, objects: dict[int, Any], everywhere: bool, expected: Any
) -> None:
    _, found = groups(film, tmp_path, objects, everywhere=everywhere)
    assert ([group.objects for group in found], found[0].hiding) == expected
    assert len(found[0].boxes) == len(PAN) + 1
    assert (found[0].boxes[0] == whole((96, 128))) == everywhere
