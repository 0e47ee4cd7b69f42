"""The kind `densifier`: vsodtool's own, trained on what `pseudolabel` would know of hidden masks."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from vsodtool.data.batches import EvidenceBatch, collate_evidence
from vsodtool.data.evidence.dataset import EvidenceDataset
from vsodtool.data.evidence.files import require_evidence
from vsodtool.models.evidence.network import EvidenceInput
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.rcrnet.losses import region_loss
from vsodtool.ops.sampling.sample_order import Key
from vsodtool.pipelines.evidence.store import count_evidence, store_evidence
from vsodtool.pipelines.training.datasets import Found, Pair
from vsodtool.pipelines.training.task import Target, Task


def open_evidence(found: Found) -> Pair:
    """Squares of evidence, which is recorded first where it is not there yet."""
    config, data, folder = found.config, found.data, found.folder.evidence
    seed = config.seed if config.motion == "on" else None
    if config.dry_run:  # which writes nothing
        counts = (
            count_evidence(data.train, config.gaps, still_seed=seed),
            count_evidence(data.validation, config.gaps),
        )
        for count in counts:
            require_evidence(count)
        return _Unrecorded(counts[0]), _Unrecorded(counts[1])
    seen = store_evidence(data.train, config.gaps, folder, found.on_event, still_seed=seed)
    # What moves in earnest is what a densifier is judged by.
    held_out = store_evidence(data.validation, config.gaps, folder, found.on_event)
    return (
        EvidenceDataset(seen, size=config.size, seed=config.seed, augmentation=found.augmentation),
        # Larger squares: nothing else tells how much of an object is right.
        EvidenceDataset(held_out, size=config.size * 3 // 2 // 16 * 16),
    )


@dataclass(frozen=True)
class _Unrecorded:
    """The length of a data set that a dry run does not record."""

    length: int

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, key: Key, /) -> None:
        raise AssertionError("a dry run reads no samples")


def _input(batch: EvidenceBatch, preprocessing: Preprocessing) -> EvidenceInput:
    del preprocessing  # the network centres its images itself
    maps = batch.maps.to(torch.float32, memory_format=torch.channels_last).div_(255)
    images = batch.images.float().div_(255)
    return EvidenceInput(maps, batch.distances, batch.positions, images, batch.labels, batch.known_positions)


def _target(batch: EvidenceBatch) -> Target:
    frames = [(name,) for name in batch.names]
    images = batch.maps[:, :3]
    return Target(batch.truth[None], batch.weights[None], images[None], batch.videos, frames)


DENSIFIER_TASK: Task = Task(collate_evidence, _input, _target, region_loss)
