"""The kinds `image` and `video`: a detector, trained on single frames or on clips."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from vsodtool.data.batches import ClipBatch, collate_clips
from vsodtool.data.clips.dataset import ClipDataset
from vsodtool.models.architecture import IMAGE
from vsodtool.models.flow.by_patches import motion_estimator
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.ops.motion.maps import enlarge_maps
from vsodtool.pipelines.training.datasets import Found, Pair
from vsodtool.pipelines.training.task import Target, Task, normalised


def open_clips(found: Found) -> Pair:
    """Clips of labelled frames, single frames for kind `image`."""
    config, data = found.config, found.data
    length = 1 if config.kind == IMAGE else config.clip_length
    estimator = motion_estimator if config.motion_input else None
    train = ClipDataset(
        data.train,
        clip_length=length,
        size=config.size,
        seed=config.seed,
        augmentation=replace(found.augmentation, gap=config.clip_gap),
        confidence_weight=config.confidence_weight,
        motion=found.motion,
        estimator=estimator,
    )
    validation = ClipDataset(
        data.validation,
        clip_length=length,
        size=config.size,
        augmentation=None,
        motion=found.motion,
        estimator=estimator,
    )
    return train, validation


def _frames(batch: ClipBatch, preprocessing: Preprocessing) -> Tensor:
    frames = normalised(batch.images.flatten(0, 1), preprocessing)
    if batch.motion is None:
        return frames
    maps = enlarge_maps(batch.motion.flatten(0, 1).float(), frames.shape[-1])
    return torch.cat((frames, maps), dim=1)


def _clips(batch: ClipBatch, preprocessing: Preprocessing) -> Tensor:
    frames = _frames(batch, preprocessing)
    return frames.view(*batch.images.shape[:2], *frames.shape[1:])


def _target(batch: ClipBatch) -> Target:
    return Target(batch.labels, batch.weights, batch.images, batch.videos, batch.names)


IMAGE_TASK: Task = Task(collate_clips, _frames, _target)
VIDEO_TASK: Task = Task(collate_clips, _clips, _target)
