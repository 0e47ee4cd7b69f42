from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from vsodtool.data.augmentation import AUGMENTATION, NO_AUGMENTATION
from vsodtool.data.clips.triplets import FgplgDataset
from vsodtool.data.sources.labelled import LabelledVideo
from vsodtool.data.sources.training_data import DataSpec, load_training_data
from vsodtool.errors import ConfigError, DataError

Disks = Callable[[str], Any]


class SquareMotion:
    """Knows how the square of the test data moves: 2 pixels right per frame, told by its shade of green."""

    name = "square-motion"

    def estimate(
        self, image_a: torch.Tensor, image_b: torch.Tensor, *, initial: torch.Tensor | None = None
    ) -> torch.Tensor:
        def number(image: torch.Tensor) -> torch.Tensor:
            square = image[:, 0] > 0.9
            return torch.stack([one[1][there].median() for one, there in zip(image, square, strict=True)])

        steps = ((number(image_b) - number(image_a)) * 255).round()
        flow = torch.zeros(len(image_a), 2, *image_a.shape[-2:])
        flow[:, 0] = 2 * steps[:, None, None]
        return flow


@pytest.fixture
def videos(tmp_path: Path, disk: Disks) -> tuple[LabelledVideo, ...]:
    spec = DataSpec(data=(str(disk("d").davis(["a", "b"], frames=9)),))
    return load_training_data(spec, cache=tmp_path / "cache").train


@pytest.fixture
def stills(tmp_path: Path, disk: Disks) -> tuple[LabelledVideo, ...]:
    return load_training_data(DataSpec(data=(str(disk("s").stills(5)),)), cache=tmp_path / "cache").train


def positions(dataset: FgplgDataset, epochs: int) -> list[tuple[int, int, int]]:
    found = []
    for epoch in range(epochs):
        for index in range(len(dataset)):
            left, target, right = (int(name) for name in dataset[(epoch, index)].names)
            found.append((left, target, right))
    return found


def test_consecutive_given_frames_with_the_target_in_the_middle(videos: tuple[LabelledVideo, ...]) -> None:
    dataset = FgplgDataset(videos, size=64, estimator=SquareMotion, augmentation=None)
    assert positions(dataset, 1) == [(n - 1, n, n + 1) for n in range(1, 8)]
    sample = dataset[3]
    assert (sample.images.dtype, sample.images.shape) == (torch.uint8, (3, 3, 64, 64))
    assert sample.labels.shape == (3, 1, 64, 64)
    assert (sample.flows.shape, sample.warped.shape) == ((2, 2, 64, 64), (2, 1, 64, 64))
    assert sample.weights.eq(1).all()
    assert torch.equal(sample.frame, sample.images[1])
    # The frames are 64 wide, so at size 64 the estimator is exact: warped labels are the target's.
    assert torch.allclose(sample.warped, sample.target.expand(2, -1, -1, -1), atol=1e-5)
    assert sample.flows[0, 0].unique().item() == -2
    assert sample.flows[1, 0].unique().item() == 2


def test_gaps_are_drawn_for_each_side(videos: tuple[LabelledVideo, ...]) -> None:
    dataset = FgplgDataset(videos, size=32, estimator=SquareMotion, augmentation=NO_AUGMENTATION, gap=(1, 3))
    found = positions(dataset, 10)
    gaps = {(target - left, right - target) for left, target, right in found}
    assert gaps == {(a, b) for a in (1, 2, 3) for b in (1, 2, 3)}
    assert all(0 <= left < target < right <= 8 for left, target, right in found)


def test_pseudo_labels_are_not_learnt_from(tmp_path: Path, disk: Disks) -> None:
    out = disk("out").pseudo(disk("d").davis(["a", "b"], frames=9), every=2)
    data = load_training_data(DataSpec(data=(str(out),)), cache=tmp_path / "cache")
    dataset = FgplgDataset(data.train, size=32, estimator=SquareMotion, augmentation=None)
    assert positions(dataset, 1) == [(0, 2, 4), (2, 4, 6), (4, 6, 8)]


def test_reversal_exchanges_left_and_right(videos: tuple[LabelledVideo, ...]) -> None:
    dataset = FgplgDataset(videos, size=64, estimator=SquareMotion, augmentation=AUGMENTATION)
    order = {left < right for left, _, right in positions(dataset, 3)}
    assert order == {True, False}


def test_samples_depend_on_seed_epoch_and_index_only(
    videos: tuple[LabelledVideo, ...], stills: tuple[LabelledVideo, ...]
) -> None:
    dataset = FgplgDataset([*videos, *stills], size=32, estimator=SquareMotion, seed=3, gap=(1, 4))
    again = pickle.loads(pickle.dumps(dataset))
    for index in (2, len(dataset) - 1):
        first, second = dataset[(4, index)], again[(4, index)]
        assert torch.equal(first.images, second.images)
        assert torch.equal(first.warped, second.warped)
        assert first.names == second.names
        assert not torch.equal(first.images, dataset[(5, index)].images)


def test_still_images_bring_their_exact_flow(stills: tuple[LabelledVideo, ...]) -> None:
    dataset = FgplgDataset(stills, size=64, estimator=None)
    assert len(dataset) == 4
    for index in range(4):
        sample = dataset[(1, index)]
        far = (sample.warped - sample.target).abs() > 0.5
        assert far.float().mean() < 0.05  # what comes into view, and border-clamped samples


def test_what_cannot_be_triplets(
    videos: tuple[LabelledVideo, ...], stills: tuple[LabelledVideo, ...]
) -> None:
    with pytest.raises(DataError, match="at least 3 given masks"):
        FgplgDataset(stills, size=32, estimator=None, motion=None)
    with pytest.raises(ConfigError, match="need a flow estimator"):
        FgplgDataset(videos, size=32, estimator=None)
    with pytest.raises(ConfigError, match="gap"):
        FgplgDataset(videos, size=32, estimator=SquareMotion, gap=(2, 1))
