from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from vsodtool.data.augmentation import AUGMENTATION, NO_AUGMENTATION, PAPER
from vsodtool.data.batches import ClipSample, collate_clips
from vsodtool.data.clips.dataset import ClipDataset
from vsodtool.data.sources.labelled import LabelledVideo
from vsodtool.data.sources.training_data import DataSpec, load_training_data
from vsodtool.errors import ConfigError, DataError
from vsodtool.models.flow.by_patches import motion_estimator
from vsodtool.ops.shots.shots import Shots

Disks = Callable[[str], Any]


@pytest.fixture
def videos(tmp_path: Path, disk: Disks) -> tuple[LabelledVideo, ...]:
    spec = DataSpec(data=(str(disk("d").davis(["a", "b", "c"])),))
    return load_training_data(spec, cache=tmp_path / "cache").train


@pytest.fixture
def stills(tmp_path: Path, disk: Disks) -> tuple[LabelledVideo, ...]:
    return load_training_data(DataSpec(data=(str(disk("s").stills(6)),)), cache=tmp_path / "cache").train


def same(first: ClipSample, second: ClipSample) -> bool:
    return (
        torch.equal(first.images, second.images)
        and torch.equal(first.labels, second.labels)
        and torch.equal(first.weights, second.weights)
        and (first.video, first.names) == (second.video, second.names)
    )


def test_a_training_clip(videos: tuple[LabelledVideo, ...]) -> None:
    dataset = ClipDataset(videos, clip_length=4, size=32)
    assert len(dataset) == 4
    sample = dataset[(0, 1)]
    assert (sample.images.dtype, sample.images.shape) == (torch.uint8, (4, 3, 32, 32))
    assert (sample.labels.dtype, sample.labels.shape) == (torch.float32, (4, 1, 32, 32))
    assert sample.weights.eq(1).all()
    assert sample.labels.ge(0).all()
    assert sample.labels.le(1).all()
    numbers = [int(name) for name in sample.names]
    assert {abs(step) for step in np.diff(numbers)} == {1}


def test_frames_of_a_training_clip_may_be_further_apart(videos: tuple[LabelledVideo, ...]) -> None:
    dataset = ClipDataset(videos, clip_length=2, size=32, augmentation=replace(AUGMENTATION, gap=3))
    names = [dataset[(epoch, index)].names for epoch in range(4) for index in range(len(dataset))]
    assert {abs(int(last) - int(first)) for first, last in names} == {1, 2, 3}
    still = ClipDataset(videos, clip_length=2, size=32, augmentation=None)
    steps = [int(last) - int(first) for first, last in (still[index].names for index in range(len(still)))]
    assert set(steps) == {1}


def test_samples_depend_on_seed_epoch_and_index_only(videos: tuple[LabelledVideo, ...]) -> None:
    dataset = ClipDataset(videos, clip_length=3, size=32, seed=5)
    again = pickle.loads(pickle.dumps(dataset))
    first = dataset[(2, 3)]
    assert same(again[(2, 3)], first)  # in any order, in any process
    assert same(dataset[(2, 3)], first)
    assert same(dataset[3], dataset[(0, 3)])
    assert not same(dataset[(1, 3)], first)
    assert not same(ClipDataset(videos, clip_length=3, size=32, seed=6)[(2, 3)], first)


def test_worker_processes_give_the_same_samples(videos: tuple[LabelledVideo, ...]) -> None:
    dataset = ClipDataset(videos, clip_length=2, size=32)
    keys = [[(1, 0), (1, 3)], [(2, 1), (2, 0)]]
    loader = DataLoader(dataset, batch_sampler=keys, num_workers=1, collate_fn=collate_clips)
    for batch, pair in zip(loader, keys, strict=True):
        expected = collate_clips([dataset[key] for key in pair])
        assert batch.images.shape == (2, 2, 3, 32, 32)
        assert torch.equal(batch.images, expected.images)
        assert torch.equal(batch.labels, expected.labels)
        assert batch.names == expected.names


def test_the_square_is_where_the_label_is_whatever_is_drawn(videos: tuple[LabelledVideo, ...]) -> None:
    dataset = ClipDataset(videos, clip_length=2, size=64)
    for epoch in range(15):
        sample = dataset[(epoch, epoch % len(dataset))]
        redness = sample.images[:, 0].float() - sample.images[:, 2].float()
        inside, outside = redness[sample.labels[:, 0] > 0.99], redness[sample.labels[:, 0] < 0.01]
        assert inside.mean() > outside.mean() + 60


def test_validation_holds_every_frame_unchanged(videos: tuple[LabelledVideo, ...]) -> None:
    dataset = ClipDataset(videos, clip_length=3, size=64, augmentation=None)
    samples = [dataset[index] for index in range(len(dataset))]
    seen = {(sample.video, name) for sample in samples for name in sample.names}
    assert seen == {(video.name, frame.name) for video in videos for frame in video.frames}
    assert all(list(sample.names) == sorted(sample.names) for sample in samples)
    assert same(dataset[(7, 2)], dataset[(0, 2)])


def test_single_images_of_videos_and_stills(
    videos: tuple[LabelledVideo, ...], stills: tuple[LabelledVideo, ...]
) -> None:
    dataset = ClipDataset([*videos, *stills], clip_length=1, size=32)
    assert len(dataset) == 2 * 8 + 5
    assert dataset[len(dataset) - 1].images.shape == (1, 3, 32, 32)


def test_the_paper_reverses_half_of_the_clips(videos: tuple[LabelledVideo, ...]) -> None:
    def share(augmentation: Any) -> float:
        dataset = ClipDataset(videos, clip_length=2, size=16, augmentation=augmentation)
        names = [dataset[(epoch, 0)].names for epoch in range(40)]
        return sum(after < before for before, after in names) / len(names)

    assert 0.25 < share(PAPER) < 0.75
    assert share(NO_AUGMENTATION) == 0


def test_pseudo_labels_weigh_what_their_confidence_says(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a", "b"])

    @cache
    def weights(maps: bool, switched_on: bool) -> list[float]:
        out = disk(f"out{maps}").pseudo(root, every=2, confidence=0.5, maps=maps)
        data = load_training_data(DataSpec(data=(str(out),)), cache=tmp_path / "cache")
        dataset = ClipDataset(data.train, clip_length=8, size=16, confidence_weight=switched_on)
        sample = dataset[0]
        by_name = dict(zip(sample.names, sample.weights, strict=True))
        assert all(weight.max() - weight.min() < 1e-5 for weight in by_name.values())
        return [float(by_name[name].mean()) for name in sorted(by_name)]

    assert weights(maps=False, switched_on=True) == [1, 0.5] * 4
    assert weights(maps=True, switched_on=True) == pytest.approx([1, 0.2] * 4)
    assert weights(maps=False, switched_on=False) == [1] * 8


def test_clips_of_still_images_move(stills: tuple[LabelledVideo, ...]) -> None:
    dataset = ClipDataset(stills, clip_length=4, size=32)
    assert len(dataset) == 5
    sample = dataset[(1, 2)]
    assert len(set(sample.names)) == 4
    assert sample.images.shape == (4, 3, 32, 32)
    assert not torch.equal(sample.images[0], sample.images[3])
    assert same(dataset[(1, 2)], sample)
    assert not same(dataset[(2, 2)], sample)


def test_nothing_to_make_clips_of(stills: tuple[LabelledVideo, ...]) -> None:
    with pytest.raises(DataError, match="expected labelled frames to make clips of, found none"):
        ClipDataset([], clip_length=4, size=32)
    with pytest.raises(DataError, match="found none"):
        ClipDataset(stills, clip_length=4, size=32, motion=None)
    with pytest.raises(ConfigError, match="positive clip_length and size, found 0 and 32"):
        ClipDataset(stills, clip_length=0, size=32)


def test_a_file_that_changes_while_training_runs(videos: tuple[LabelledVideo, ...]) -> None:
    dataset = ClipDataset(videos, clip_length=1, size=32, augmentation=None)
    image = videos[0].frames[0].image
    image.write_bytes(videos[0].frames[0].mask.read_bytes()[:40])
    with pytest.raises(DataError, match="expected a picture"):
        dataset[0]
    image.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        dataset[0]


def test_no_clip_spans_a_cut(videos: tuple[LabelledVideo, ...]) -> None:
    def sides(of: tuple[LabelledVideo, ...], **options: Any) -> list[set[bool]]:
        dataset = ClipDataset(of, clip_length=3, size=16, **options)
        return [{int(name) < 4 for name in dataset[index].names} for index in range(len(dataset))]

    cut = tuple(replace(video, shots=Shots((4,))) for video in videos)
    assert {True, False} in sides(videos, augmentation=None)
    assert all(len(side) == 1 for side in sides(cut, augmentation=None))
    assert all(len(side) == 1 for side in sides(cut, augmentation=replace(AUGMENTATION, gap=3)))


def test_motion_maps_of_shots_are_those_of_videos(videos: tuple[LabelledVideo, ...]) -> None:
    video = replace(videos[0], shots=Shots((4,)))
    both = ClipDataset([video], clip_length=4, size=64, augmentation=None, estimator=motion_estimator)
    later = replace(videos[0], frames=videos[0].frames[4:])
    alone = ClipDataset([later], clip_length=4, size=64, augmentation=None, estimator=motion_estimator)
    assert [both[index].names[0] for index in range(len(both))] == ["00000", "00004"]
    second, same_again = both[1].motion, alone[0].motion
    assert second is not None
    assert same_again is not None
    assert torch.equal(second, same_again)
