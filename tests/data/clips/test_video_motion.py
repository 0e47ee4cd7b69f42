"""Motion maps of clips: where the square moves, varied as the pictures are, now and then absent."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from vsodtool.data.augmentation import AUGMENTATION, NO_AUGMENTATION
from vsodtool.data.batches import collate_clips
from vsodtool.data.clips.dataset import ClipDataset
from vsodtool.data.clips.video_motion import VideoMotion
from vsodtool.data.sources.labelled import LabelledVideo
from vsodtool.data.sources.training_data import DataSpec, load_training_data
from vsodtool.media.crops import Box
from vsodtool.models.flow.by_patches import motion_estimator
from vsodtool.ops.motion.layout import CHANNELS
from vsodtool.ops.motion.maps import mirror_maps, reverse_maps

Disks = Callable[[str], Any]
SIDE = 64


@pytest.fixture
def videos(tmp_path: Path, disk: Disks) -> tuple[LabelledVideo, ...]:
    spec = DataSpec(data=(str(disk("d").davis(["a", "b"])),))
    return load_training_data(spec, cache=tmp_path / "cache").train


@pytest.fixture
def stills(tmp_path: Path, disk: Disks) -> tuple[LabelledVideo, ...]:
    return load_training_data(DataSpec(data=(str(disk("s").stills(6)),)), cache=tmp_path / "cache").train


def clips(videos: Any, length: int = 3, **changes: Any) -> ClipDataset:
    augmentation = replace(NO_AUGMENTATION, **changes) if changes else None
    return ClipDataset(
        videos, clip_length=length, size=SIDE, augmentation=augmentation, estimator=motion_estimator
    )


def test_maps_show_the_square_that_moves(videos: tuple[LabelledVideo, ...]) -> None:
    sample = clips(videos)[0]
    assert sample.motion is not None
    assert (sample.motion.dtype, sample.motion.shape) == (torch.float16, (3, CHANNELS, 32, 32))
    salient = torch.nn.functional.avg_pool2d(sample.labels, 2)[:, 0]
    right = sample.motion[:, 0::3].float().mean(1)  # it goes to the right
    assert right[salient == 1].mean() > 1
    assert right[salient == 0].abs().mean() < 0.3


def test_maps_are_mirrored_and_reversed_with_the_pictures(videos: tuple[LabelledVideo, ...]) -> None:
    # Drawn with scale 1 and probability 1, nothing is left to chance but where the clip begins.
    plain = clips(videos, length=8, colour=0.0, flip=0.0)[0].motion
    mirrored = clips(videos, length=8, flip=1.0)[0].motion
    backwards = clips(videos, length=8, reverse=1.0)[0].motion
    assert plain is not None
    assert mirrored is not None
    assert backwards is not None
    assert torch.equal(mirrored, mirror_maps(plain))
    assert torch.equal(backwards, reverse_maps(plain).flip(0))


def test_a_crop_shows_a_part(videos: tuple[LabelledVideo, ...]) -> None:
    motion = VideoMotion(motion_estimator, SIDE)
    whole = motion.of_frame(videos[0], 2)
    part = motion.of_frame(videos[0], 2, Box(0.0, 0.0, 0.5, 0.5))
    assert part.shape == whole.shape
    # Bilinear enlargement by two leaves the mean of every four pixels nearly what it was.
    halved = torch.nn.functional.avg_pool2d(part.float(), 2)
    assert (halved - whole[:, :16, :16].float()).abs().mean() < 0.05


def test_what_is_remembered_is_what_is_estimated_and_stays_behind(videos: tuple[LabelledVideo, ...]) -> None:
    motion = VideoMotion(motion_estimator, SIDE)
    first = motion.of_frame(videos[0], 1)
    assert motion.of_frame(videos[0], 1) is first
    elsewhere = pickle.loads(pickle.dumps(motion))
    again = elsewhere.of_frame(videos[0], 1)
    assert again is not first
    assert torch.equal(again, first)


def test_one_of_the_senses_fails_as_often_as_asked(videos: tuple[LabelledVideo, ...]) -> None:
    blind = clips(videos, blind=1.0)[0]
    assert blind.motion is not None
    assert blind.images.eq(128).all()
    assert blind.motion.any()
    still = clips(videos, still=1.0)[0]
    assert still.motion is not None
    assert not still.motion.any()
    assert not still.images.eq(128).all()


def test_clips_made_from_stills_have_motion(stills: tuple[LabelledVideo, ...]) -> None:
    dataset = clips(stills, length=2, blind=0.0)
    found = [dataset[(epoch, 0)].motion for epoch in range(8)]
    moving = [motion is not None and bool(motion.any()) for motion in found]
    assert any(moving)
    assert not all(moving)  # half of the time pictures must do


def test_stills_by_themselves_do_not_move(stills: tuple[LabelledVideo, ...]) -> None:
    sample = clips(stills, length=1)[0]
    assert sample.motion is not None
    assert sample.motion.shape == (1, CHANNELS, 32, 32)
    assert not sample.motion.any()


def test_batches_hold_the_maps_frames_first(videos: tuple[LabelledVideo, ...]) -> None:
    dataset = ClipDataset(
        videos, clip_length=2, size=SIDE, augmentation=AUGMENTATION, estimator=motion_estimator
    )
    batch = collate_clips([dataset[0], dataset[1], dataset[2]])
    assert batch.motion is not None
    assert batch.motion.shape == (2, 3, CHANNELS, 32, 32)
    assert collate_clips([ClipDataset(videos, clip_length=2, size=SIDE)[0]]).motion is None
