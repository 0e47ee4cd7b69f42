"""What the tracker sees of a clip of a red and a blue thing, of which the red one is masked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.pipelines.intervals import make_job
from vsodtool.models.backbones.efficientnet_lite import EfficientNetLiteBackbone
from vsodtool.ops.labels import tracking
from vsodtool.pipelines.densify.filling.small_interval import SmallInterval
from vsodtool.pipelines.densify.side_by_side import Workers

Film = Callable[..., Any]
SEEN = 0.5


class Colours(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def shallow(self, images: Tensor) -> tuple[Tensor, ...]:
        self.asked += 1
        return tuple(functional.avg_pool2d(images, side) for side in (4, 8, 16))


@pytest.fixture
def backbone() -> Colours:
    return Colours()


@pytest.fixture
def small(
    film: Film, tmp_path: Path, backbone: Colours, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SmallInterval]:
    """Both things are salient."""
    monkeypatch.setattr(tracking, "AREA", 160 * 224)
    clip = film([(0, 0), (3, 0), (0, 0)], (40, 56), (60, 60), {1: (72, 80, 12, 15), 2: (80, 62, 12, 14)})
    for frame, ids in zip(clip.frames, clip.truth, strict=True):
        frame[..., 0] = 0
        frame[ids == 1], frame[ids == 2] = (255, 0, 0), (0, 0, 255)
    one = replace(clip, truth=[(ids == 1).astype(np.uint8) for ids in clip.truth])

    def saliency(_: Iterable[Any], count: int) -> Iterator[Tensor]:
        return (torch.from_numpy(ids > 0).float()[None, None] for ids in clip.truth[:count])

    with ThreadPoolExecutor(2) as pool:
        seen = SmallInterval(
            make_job(one, tmp_path / "clip"), cast("EfficientNetLiteBackbone", backbone), Workers(pool)
        )
        assert seen.look(saliency, lambda _: None)
        assert seen.look_closely(lambda _: None)
        yield seen
        seen.close()


def test_what_looks_like_the_other_thing_is_not_the_objects_own(small: SmallInterval) -> None:
    for position in range(4):
        whole, (own, rivalry) = small.salient(position) > SEEN, small.own_salience(position, 0)
        assert rivalry is not None
        columns = torch.arange(whole.shape[-1])
        right = columns > columns[whole[0, 0].any(dim=0)].float().median()
        assert bool((own[whole & right] > SEEN).float().mean() > 0.8)
        assert bool((own[whole & ~right] < SEEN).float().mean() > 0.8)


def test_the_other_thing_does_not_make_the_object_less_noticed(small: SmallInterval) -> None:
    assert small.noticed == [1.0]


def test_each_frame_is_seen_once(small: SmallInterval, backbone: Colours) -> None:
    assert [len(small.features(position)) for position in range(4)] == [6] * 4
    assert backbone.asked == 4


def test_motion_between_neighbours_is_kept_both_ways(small: SmallInterval) -> None:
    there, back = small.flow(1, 2), small.flow(2, 1)
    assert there.shape == back.shape == (1, 2, *small.salient(0).shape[-2:])
    torch.testing.assert_close(
        there.flatten(2).median(2).values, -back.flatten(2).median(2).values, atol=0.5, rtol=0
    )
    assert abs(float(there[0, 0].median())) == pytest.approx(3, abs=0.5)
    assert float(small.flow(0, 1).abs().median()) < 0.1
