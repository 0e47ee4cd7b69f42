"""The kind `densifier`: evidence is recorded first; a dry run only counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from vsodtool.config import TrainConfig
from vsodtool.errors import DataError
from vsodtool.media.training_run.folder import RunFolder
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.ops.labels.evidence_maps import MAPS
from vsodtool.pipelines.training.evidence import DENSIFIER_TASK
from vsodtool.pipelines.training.kinds import open_datasets

MakeConfig = Callable[..., TrainConfig]
LITE = {"kind": "densifier", "backbone": "efficientnet_lite0"}


def test_a_dry_run_counts_what_would_be_recorded(config: MakeConfig) -> None:
    settings = config(**LITE, gaps=(2, 4), dry_run=True)
    data = open_datasets(settings, RunFolder(settings.output))
    # Of five labels, the first of every two, and the last, are seen: two are hidden; of every four three.
    assert (len(data.train), len(data.validation)) == (3 * (2 + 3), 2 + 3)
    assert not settings.output.exists()
    with pytest.raises(AssertionError):
        data.train[0, 0]
    with pytest.raises(DataError, match="masks on both sides"):
        open_datasets(replace(settings, label_every=5), RunFolder(settings.output))


def test_a_batch_becomes_what_the_network_takes_and_should_say(config: MakeConfig) -> None:
    settings = config(**LITE, gaps=(2,))
    data = open_datasets(settings, RunFolder(settings.output))
    batch = DENSIFIER_TASK.collate([data.train[0, 0], data.train[0, 1]])
    evidence = DENSIFIER_TASK.network_input(batch, Preprocessing(size=64))
    assert evidence.maps.shape == (2, MAPS, 64, 64)
    assert 0 <= evidence.maps.min() < evidence.maps.max() <= 1
    assert evidence.images.shape == (2, 2, 3, 64, 64)
    target = DENSIFIER_TASK.target(batch)
    assert target.labels.shape == (1, 2, 1, 64, 64)
    assert torch.equal(target.images[0], batch.maps[:, :3])
    assert data.validation[0, 0].maps.shape[-1] == 96  # half as large again
