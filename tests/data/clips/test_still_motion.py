from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from vsodtool.data.clips.still_motion import MovedClip, StillMotion, move_still
from vsodtool.errors import ConfigError
from vsodtool.media.crops import Box
from vsodtool.ops.fill import grow
from vsodtool.ops.warp import backward_warp

BOX = Box(0.1, 0.1, 0.8, 0.8)
NOTHING = StillMotion(
    camera_shift=0, camera_turn=0, camera_zoom=0, camera_bend=0,
    object_shift=0, object_turn=0, object_zoom=0, object_bend=0,
)  # fmt: skip


def smooth(side: int) -> torch.Tensor:
    """A smooth picture, so that interpolation costs little."""
    coarse = torch.rand(1, 3, 12, 12, generator=torch.manual_seed(3))
    fine = functional.interpolate(coarse, size=(side, side), mode="bicubic", align_corners=False)
    return fine[0].clamp(0, 1)


def scene(side: int = 128) -> tuple[torch.Tensor, torch.Tensor]:
    """A smooth picture with a disc on it that has colours of its own."""
    image = smooth(side)
    places = (torch.arange(side) + 0.5) / side
    disc = ((places[None] - 0.55) ** 2 + (places[:, None] - 0.45) ** 2 < 0.2**2).float()[None]
    return torch.where(disc > 0, 1 - image.roll(20, -1), image), disc


def move(seed: int, motion: StillMotion, ages: tuple[float, ...] = (-1, 0, 1, 2)) -> MovedClip:
    image, label = scene()
    return move_still(
        image, label, ages=ages, side=96, box=BOX, motion=motion, rng=np.random.default_rng(seed)
    )


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("a", "b"), [(0, 1), (3, 1), (1, 1)])
def test_a_frame_is_the_other_one_seen_through_the_exact_flow(seed: int, a: int, b: int) -> None:
    clip = move(seed, StillMotion(steady=0))
    flow, visible = clip.flow(a, b), clip.visible(a, b)
    assert visible.mean() > 0.6
    image, inside = backward_warp(clip.images[b : b + 1], flow)
    label, _ = backward_warp(clip.labels[b : b + 1], flow)
    error = (image - clip.images[a : a + 1]).abs() * visible
    assert error.max() < 0.05
    assert error.sum() / visible.sum() / 3 < 0.004
    assert ((label - clip.labels[a : a + 1]).abs() * visible).max() < 0.05
    assert (inside >= visible).all()
    if a != b:  # and without the flow it is not
        still = (clip.images[b] - clip.images[a]).abs().mean()
        assert still > 3 * error.mean()


def test_the_flow_there_and_back_leads_home() -> None:
    clip = move(1, StillMotion(steady=0))
    there, back = clip.flow(0, 2), clip.flow(2, 0)
    returned, _ = backward_warp(back, there)
    assert ((there + returned) * clip.visible(0, 2)).abs().max() < 0.3  # interpolated at 96 pixels


def test_object_and_background_move_on_their_own() -> None:
    clip = move(2, StillMotion(camera_shift=0, camera_turn=0, camera_zoom=0, camera_bend=0))
    flow, visible = clip.flow(1, 2), clip.visible(1, 2)
    thing = clip.labels[1:2] > 0.5
    assert flow.abs().amax(1, keepdim=True)[~thing].max() < 1e-3
    assert flow.abs().amax(1, keepdim=True)[thing & (visible > 0)].max() > 0.5


def test_without_motion_nothing_moves_and_nothing_is_lost() -> None:
    clip = move(0, NOTHING)
    assert torch.equal(clip.images[0], clip.images[3])
    assert clip.flow(0, 3).abs().max() < 1e-3
    assert clip.visible(0, 3).mean() > 0.9


def test_at_age_zero_the_picture_is_as_it_is_but_for_a_rim_around_the_object() -> None:
    image, label = scene(96)
    rng = np.random.default_rng(0)
    clip = move_still(image, label, ages=[0, 3], side=96, box=Box(), motion=StillMotion(), rng=rng)
    kept = 1 - (grow(label[None], 2) - label[None])[0]
    assert kept.mean() > 0.95
    assert ((clip.images[0] - image).abs() * kept).max() < 1e-3
    assert (clip.labels[0] - label).abs().max() < 1e-3
    assert (clip.images[1] - image).abs().max() > 0.1


def test_a_picture_without_an_object_moves_as_a_whole() -> None:
    nothing = torch.zeros(1, 128, 128)
    rng = np.random.default_rng(1)
    motion = StillMotion(steady=0)
    clip = move_still(smooth(128), nothing, ages=[0, 1], side=96, box=BOX, motion=motion, rng=rng)
    assert clip.labels.max() == 0
    warped, _ = backward_warp(clip.images[1:], clip.flow(0, 1))
    assert ((warped - clip.images[:1]).abs() * clip.visible(0, 1)).max() < 0.05
    assert clip.flow(0, 1).abs().max() > 0.5


def test_the_seed_decides() -> None:
    assert torch.equal(move(4, StillMotion()).images, move(4, StillMotion()).images)
    assert not torch.equal(move(4, StillMotion()).images, move(5, StillMotion()).images)


@pytest.mark.parametrize("values", [{"object_shift": 0.2}, {"camera_turn": -1}, {"steady": 2}])
def test_refuses_strengths_out_of_range(values: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="motion: "):
        StillMotion(**values)
