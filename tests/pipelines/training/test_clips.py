"""The kinds `image` and `video`: their datasets, and what of a batch the network is given."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from vsodtool.config import TrainConfig
from vsodtool.media.training_run.folder import RunFolder
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.ops.motion.layout import CHANNELS
from vsodtool.pipelines.training.clips import IMAGE_TASK, VIDEO_TASK
from vsodtool.pipelines.training.kinds import open_datasets

MakeConfig = Callable[..., TrainConfig]


@pytest.mark.parametrize("motion", [False, True])
@pytest.mark.parametrize("kind", ["image", "video"])
def test_a_batch_becomes_what_the_network_takes_and_should_say(
    config: MakeConfig, kind: str, motion: bool
) -> None:
    settings = config(kind=kind, motion_input=motion)
    data = open_datasets(settings, RunFolder(settings.output))
    task = IMAGE_TASK if kind == "image" else VIDEO_TASK
    batch = task.collate([data.train[0, 1], data.train[0, 0]])
    frames = 1 if kind == "image" else settings.clip_length
    channels = 3 + (CHANNELS if motion else 0)
    values = task.network_input(batch, Preprocessing(size=64))
    assert values.shape == ((2, channels, 64, 64) if kind == "image" else (frames, 2, channels, 64, 64))
    pictures = Preprocessing(size=64).normalise(batch.images[0].float() / 255)
    torch.testing.assert_close(values.view(frames, 2, channels, 64, 64)[0, :, :3], pictures)
    target = task.target(batch)
    assert target.labels.shape == target.weights.shape == (frames, 2, 1, 64, 64)
    assert len(target.videos) == len(target.frames) == 2
    assert [len(names) for names in target.frames] == [frames, frames]


def test_validation_shows_whole_frames_always_the_same(config: MakeConfig) -> None:
    settings = config(kind="video")
    data = open_datasets(settings, RunFolder(settings.output))
    first, again = data.validation[0, 0], data.validation[5, 0]
    assert torch.equal(first.images, again.images)
    assert not torch.equal(data.train[0, 0].images, data.train[1, 0].images)
