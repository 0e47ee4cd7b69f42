"""The kind `fgplg`: triplets, and the seven channels that the network is given."""

from __future__ import annotations

from collections.abc import Callable

import torch

from vsodtool.config import TrainConfig
from vsodtool.media.training_run.folder import RunFolder
from vsodtool.models.paper.network import flow_length
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.pipelines.training.kinds import open_datasets
from vsodtool.pipelines.training.triplets import FGPLG_TASK

MakeConfig = Callable[..., TrainConfig]


def test_a_batch_becomes_what_the_network_takes_and_should_say(config: MakeConfig) -> None:
    settings = config(kind="fgplg")
    data = open_datasets(settings, RunFolder(settings.output))
    batch = FGPLG_TASK.collate([data.train[0, 0], data.train[0, 2]])
    seen = Preprocessing(size=64)
    values = FGPLG_TASK.network_input(batch, seen)
    assert values.shape == (2, 7, 64, 64)
    torch.testing.assert_close(values[:, :3], seen.normalise(batch.frame.float() / 255))
    assert torch.equal(values[:, 3:5], batch.warped[:, :, 0])
    torch.testing.assert_close(values[:, 5:6], flow_length(batch.flows[:, 0]))
    target = FGPLG_TASK.target(batch)
    assert torch.equal(target.labels, batch.target[None])
    assert target.frames == [(batch.names[0][1],), (batch.names[1][1],)]  # those in the middle
