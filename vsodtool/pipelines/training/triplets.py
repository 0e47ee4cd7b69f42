"""The kind `fgplg`: the paper's densifier, which finds a labelled frame again from two others."""

from __future__ import annotations

from functools import partial

from torch import Tensor

from vsodtool.data.batches import FgplgBatch, collate_triplets
from vsodtool.data.clips.triplets import FgplgDataset
from vsodtool.models.flow.registry import create_estimator
from vsodtool.models.paper.network import fgplg_input
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.pipelines.training.datasets import Found, Pair
from vsodtool.pipelines.training.task import Target, Task, normalised

FLOW_QUALITY = "balanced"


def open_triplets(found: Found) -> Pair:
    """Triplets of given frames."""
    config, data = found.config, found.data
    # One process reads for each that trains: DIS, which runs on the CPU, is estimated there.
    estimator = partial(create_estimator, "dis", quality=FLOW_QUALITY, device="cpu")
    train = FgplgDataset(
        data.train,
        size=config.size,
        estimator=estimator,
        seed=config.seed,
        augmentation=found.augmentation,
        gap=(1, config.label_gap),
        motion=found.motion,
    )
    validation = FgplgDataset(
        data.validation,
        size=config.size,
        estimator=estimator,
        augmentation=None,
        gap=(config.label_gap, config.label_gap),
        motion=found.motion,
    )
    return train, validation


def _input(batch: FgplgBatch, preprocessing: Preprocessing) -> Tensor:
    warped, flows = batch.warped.unbind(1), batch.flows.unbind(1)
    frame = normalised(batch.frame, preprocessing)
    return fgplg_input(frame, (warped[0], warped[1]), (flows[0], flows[1]))


def _target(batch: FgplgBatch) -> Target:
    frames = [(names[1],) for names in batch.names]
    return Target(batch.target[None], batch.weights[None], batch.frame[None], batch.videos, frames)


FGPLG_TASK: Task = Task(collate_triplets, _input, _target)
