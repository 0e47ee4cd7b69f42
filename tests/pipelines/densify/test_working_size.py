"""Large objects on smaller frames: what comes back lies where it was, and small ones stay as they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.pipelines.intervals import make_job
from vsodtool.media.video import frame_store
from vsodtool.metrics import region_j
from vsodtool.ops.boxes import Box, whole
from vsodtool.ops.labels.connected import parts
from vsodtool.ops.resize import resize_maps
from vsodtool.pipelines.densify import working_size
from vsodtool.pipelines.densify.filling.fill import Finish, densify
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval, LabelledFrame
from vsodtool.pipelines.densify.method import WarpMethod
from vsodtool.pipelines.densify.quality import motion_estimators
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.pipelines.densify.working_size import at_full_size, at_scale, working_scale
from vsodtool.types import ignore_event


@pytest.fixture
def workers() -> Iterator[Workers]:
    with ThreadPoolExecutor(2) as pool:
        yield Workers(pool)


@pytest.fixture
def job(film: Callable[..., Any], tmp_path: Path) -> Interval:
    return make_job(film([(1, 0), (0, 1), (-1, 1)] * 2), tmp_path / "clip")


@pytest.fixture(autouse=True)
def small_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working_size, "SIDE", 8)


def test_frames_become_smaller_only_where_that_is_worth_it(job: Interval) -> None:
    lines = min(job.size)
    assert working_scale(job, inf) == 1
    assert working_scale(job, lines) == 1
    assert working_scale(job, 0.9 * lines) == 1  # not worth it
    assert working_scale(job, 0.7 * lines) == pytest.approx(0.7)


@pytest.mark.parametrize(("objects", "expected"), [((0, 1), 0.4), ((0,), 0.1), ((), 0.05)])
def test_the_smallest_object_decides(objects: tuple[int, ...], expected: float) -> None:
    places = {0: Box(10, 10, 90, 90), 1: Box(10, 150, 30, 170)}
    labels = torch.zeros(1, 2, 100, 200)
    for number in objects:
        places[number].crop(labels)[:, number] = 1
    known = _Known(labels, np.zeros((100, 200, 3), np.uint8))
    interval = Interval(None, known, [1], None)  # type: ignore[arg-type]
    assert working_scale(interval, 5) == pytest.approx(expected)


class _Known(NamedTuple):
    labels: torch.Tensor
    rgb: np.ndarray


@pytest.mark.parametrize("held", [frame_store.HELD_BYTES, 1])
def test_labels_made_on_smaller_frames_are_about_those_of_full_ones(
    film: Callable[..., Any], workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    for module in (frame_store, working_size):
        monkeypatch.setattr(module, "HELD_BYTES", held)
    clip = film([(1, 0), (0, 1), (-1, 1)] * 2)
    job = make_job(clip, tmp_path / "clip")
    plan = motion_estimators("dis", "fast", torch.device("cpu"), ignore_event)
    found: dict[int, SoftLabel] = {}
    densify(
        job,
        [WarpMethod()],
        plan,
        workers=workers,
        on_label=lambda _, label: found.update({label.index: label}),
        finish=Finish(lines=0.6 * min(job.size)),
    )
    assert sorted(found) == job.targets
    for index, label in found.items():
        assert label.size == job.size
        assert label.labels.shape[-2:] == label.box.size == label.trust.shape[-2:]
        truth = np.asarray(clip.truth[index]) > 0
        assert region_j(label.ids([1]) > 0, truth) > 0.85


def test_nothing_changes_at_full_size(job: Interval) -> None:
    given: list[str] = []
    with at_scale(job, 1.0, lambda name, _: given.append(name)) as (seen, give):
        assert seen is job
        give("one", None)  # type: ignore[arg-type]
    assert given == ["one"]


@pytest.mark.parametrize("size", [(101, 203), (200, 400), (150, 299)])
def test_a_ramp_stays_where_it_is(size: tuple[int, int]) -> None:
    small = (50, 100)
    columns = (torch.arange(small[1]) + 0.5) / small[1]
    box = Box(10, 20, 40, 90)
    labels = box.crop(columns.expand(1, 1, *small)).contiguous()
    label = SoftLabel(0, small, box, labels, torch.ones_like(labels), 0.5 * torch.ones_like(labels))
    found = at_full_size(label, size)
    assert found.size == size
    assert found.box.top == 10 * size[0] // small[0]
    assert found.box.right == -(-90 * size[1] // small[1])
    expected = found.box.crop(((torch.arange(size[1]) + 0.5) / size[1]).expand(1, 1, *size))
    inner = (..., slice(None), slice(3, -3))  # beyond the centres of its first and last pixel a box repeats
    torch.testing.assert_close(found.labels[inner], expected[inner], atol=1e-4, rtol=0)
    assert found.support is not None
    torch.testing.assert_close(found.support, torch.full_like(found.support, 0.5))


def test_a_label_of_the_whole_frame_fills_the_frame() -> None:
    labels = torch.ones(1, 1, 37, 61)
    found = at_full_size(SoftLabel(0, (37, 61), whole((37, 61)), labels, labels), (111, 190))
    assert found.box == whole((111, 190))
    assert found.support is None
    assert float(found.labels.min()) == pytest.approx(1)
    assert float(found.labels.max()) <= 1


def _with_string(width: int, degrees: float) -> torch.Tensor:
    """A ball on a string, (1, 1, 240, 320), 0 or 1."""
    turn = math.radians(degrees)
    rows, columns = torch.meshgrid(torch.arange(240.0), torch.arange(320.0), indexing="ij")
    along = ((rows - 120) * math.sin(turn) + (columns - 80) * math.cos(turn)).clamp(0, 130)
    away = torch.hypot(rows - 120 - along * math.sin(turn), columns - 80 - along * math.cos(turn))
    ball = torch.hypot(rows - 120, columns - 80) < 25
    return ((away <= width / 2) | ball).float()[None, None]


def _at_both_ends(job: Interval, labels: torch.Tensor) -> Interval:
    rgb = np.zeros((*labels.shape[-2:], 3), np.uint8)
    left, right = (known and replace(known, rgb=rgb, labels=labels) for known in (job.left, job.right))
    return replace(job, left=left, right=right)


@given(width=st.integers(1, 4), degrees=st.integers(-40, 40), scale=st.floats(0.5, 0.8))
def test_a_string_of_a_large_mask_is_one_on_the_smaller_frame(width: int, degrees: int, scale: float) -> None:
    """Of a pixel or two there: that decides whether pieces of it are kept and joined."""
    labels = _with_string(width, degrees)
    small = resize_maps(labels, (round(240 * scale), round(320 * scale)))
    known = LabelledFrame(0, "0", np.zeros((1, 1, 3), np.uint8), small)
    assume((2 * (width // 2) + 1) * scale < 2)  # else it holds squares of three pixels
    assert known.thin_shares[0] > 0.01
    assert width == 1 or known.small_parts[0] == []


@pytest.mark.parametrize("degrees", [0, 17, 45])
def test_a_string_of_one_pixel_comes_back_in_one_piece(job: Interval, degrees: float) -> None:
    """As soft labels of one half and a hair, which blurring takes below it."""
    labels = _with_string(2, degrees)
    large = _at_both_ends(job, labels)
    found: list[SoftLabel] = []
    with at_scale(large, 0.5, lambda _, label: found.append(label)) as (small, give):
        seen = small.known.labels
        soft = torch.where(seen > 0.25, 0.501, 0.0)
        box = Box(3, 2, 118, 155)
        soft = box.crop(soft).contiguous()
        give("one", SoftLabel(1, small.size, box, soft, torch.ones_like(soft)))
    mask = torch.from_numpy(found[0].ids([1]) > 0)
    assert parts(mask)[1] == 1
    assert region_j(mask.numpy(), labels[0, 0].numpy() > 0) > 0.8
    # Where no mask has a line, blurred ones stay as they are.
    plain = _at_both_ends(job, _with_string(30, 0))
    with at_scale(plain, 0.5, lambda _, label: found.append(label)) as (_, give):
        give("one", SoftLabel(1, small.size, box, soft, torch.ones_like(soft)))
    assert int((found[1].ids([1]) > 0).sum()) < int(mask.sum())
