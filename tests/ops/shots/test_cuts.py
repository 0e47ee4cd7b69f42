"""Cuts, dissolves and fades between generated scenes, and what is none of these."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from tests.scenes import mixed, scene
from vsodtool.ops.shots.cuts import THUMBNAIL, CutSearch, blend, detail, thumbnail
from vsodtool.pipelines.running.shots import thumbnail_differ
from vsodtool.types import ImageArray

differ = thumbnail_differ()


def found(frames: Sequence[ImageArray]) -> list[int]:
    search = CutSearch(differ)
    for frame in frames:
        search.add(thumbnail(frame))
    return search.end()


def test_one_scene_has_no_cut() -> None:
    assert found(scene(1, 40)) == []
    assert found(scene(1, 40, speed=9)) == []
    assert found(scene(1, 1)) == []
    assert found([]) == []


@pytest.mark.parametrize("at", [3, 17, 37])
def test_a_hard_cut_is_found_at_its_frame(at: int) -> None:
    assert found([*scene(1, at), *scene(2, 40 - at)]) == [at]


def test_several_cuts_are_found() -> None:
    assert found([*scene(1, 20), *scene(2, 12), *scene(3, 5), *scene(4, 20)]) == [20, 32, 37]


def test_a_dissolve_is_one_cut_within_it() -> None:
    first, second = scene(1, 35, speed=0), scene(2, 35, speed=0)
    between = [mixed(first[25 + at], second[at], (at + 1) / 11) for at in range(10)]
    (cut,) = found([*first[:25], *between, *second[10:]])
    assert 27 <= cut <= 33


@pytest.mark.parametrize("black", [1, 4, 9])
def test_a_fade_through_black_is_one_cut_within_it(black: int) -> None:
    first, second = scene(1, 35), scene(2, 35)
    none = np.zeros_like(first[0])
    out = [mixed(first[25 + at], none, (at + 1) / 11) for at in range(10)]
    back = [mixed(second[at], none, 1 - (at + 1) / 11) for at in range(10)]
    (cut,) = found([*first[:25], *out, *[none] * black, *back, *second[10:]])
    assert 30 <= cut <= 41 + black


@pytest.mark.parametrize("value", [0, 255])
def test_a_flash_is_no_cut(value: int) -> None:
    frames = scene(1, 40)
    frames[12] = frames[25] = frames[26] = np.full_like(frames[0], value)
    assert found(frames) == []


@pytest.mark.parametrize("gain", [0.2, 0.3, 0.4, 0.5])
@pytest.mark.parametrize("goes_on", [True, False])
def test_another_light_is_no_cut(gain: float, goes_on: bool) -> None:
    frames = [
        (gain * frame).astype(np.uint8) if (index < 20) != goes_on else frame
        for index, frame in enumerate(scene(1, 40))
    ]
    assert found(frames) == []


def test_chance_is_no_cut() -> None:
    rng = np.random.default_rng(0)
    assert found([rng.integers(0, 256, (72, 128, 3)).astype(np.uint8) for _ in range(30)]) == []


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (48, 64), (480, 854), (2160, 3840)])
def test_thumbnails_of_all_sizes(size: tuple[int, int]) -> None:
    image = thumbnail(np.full((*size, 3), 51, np.uint8))
    assert image.shape[:2] == (1, 3)
    assert max(image.shape[2:]) <= 2 * THUMBNAIL
    torch.testing.assert_close(image, torch.full_like(image, 0.2))
    assert detail(image) == pytest.approx(0, abs=1e-3)
    assert differ(image, image) == pytest.approx(0, abs=1e-3)


def test_a_blend_is_fitted() -> None:
    generator = torch.Generator().manual_seed(0)
    first, second, other = torch.randn(3, 500, generator=generator)
    mix = blend(0.3 * first + 0.6 * second, first, second)
    assert (mix.first, mix.second) == pytest.approx((0.3, 0.6), abs=1e-4)
    assert mix.rest == pytest.approx(0, abs=1e-2)
    assert blend(other, first, second).rest > 0.9
    against = blend(-first, first, second)
    assert against.first == 0
    assert against.second >= 0
    nothing = torch.zeros(500)
    assert blend(nothing, nothing, nothing) == (0, 0, 0)
    assert blend(first, first, first).first == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("step", [5, 10, 12])
def test_no_shot_begins_at_the_ends(step: int) -> None:
    """One flat colour that grows lighter looks like a fade; a cut before its first frame would be none."""
    frames = [np.full((32, 40, 3), step * index, np.uint8) for index in range(21)]
    assert all(0 < cut < 21 for cut in found(frames))
