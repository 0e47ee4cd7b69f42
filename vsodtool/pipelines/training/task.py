"""What differs between the three kinds of training: samples, the network's input, its output."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from vsodtool.config import TrainConfig
from vsodtool.data.clips.batch import ClipBatch, collate_clips
from vsodtool.data.clips.triplet_batch import FgplgBatch, collate_triplets
from vsodtool.data.evidence.batch import EvidenceBatch, collate_evidence
from vsodtool.models.architecture import FGPLG, IMAGE, VIDEO
from vsodtool.models.evidence.architecture import DENSIFIER
from vsodtool.models.evidence.network import EvidenceInput
from vsodtool.models.paper.network import fgplg_input
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.rcrnet.losses import region_loss, saliency_loss
from vsodtool.ops.motion.maps import enlarge_maps


class Target(NamedTuple):
    """What the network should have said.

    Attributes:
        labels: (T, B, 1, H, W) in [0, 1].
        weights: of the pixels in the loss, the same shape.
        images: uint8 (T, B, 3, H, W), for pictures.
        videos: B names.
        frames: B tuples of T names.
    """

    labels: Tensor
    weights: Tensor
    images: Tensor
    videos: Sequence[str]
    frames: Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Task:
    """A kind of training.

    Attributes:
        collate: samples -> batch.
        network_input: batch on the device, preprocessing -> what the network takes.
        target: batch -> target.
        loss: of logits, labels and weights (T, 1, H, W) of one clip.
    """

    collate: Callable[[Sequence[Any]], Any]
    network_input: Callable[[Any, Preprocessing], Any]
    target: Callable[[Any], Target]
    loss: Callable[[Tensor, Tensor, Tensor], Tensor] = saliency_loss


def as_clips(logits: Tensor, target: Target) -> Tensor:
    """The logits of any network in the shape of the labels, (T, B, 1, H, W), in 32 bits."""
    return logits.float().view(target.labels.shape)


def clip_loss(task: Task, logits: Tensor, target: Target) -> Tensor:
    """The mean of the losses of the clips.

    Each clip counts the same, whatever its weights: the loss of a batch is then the mean of those of its
    parts, and training is the same in one process and in several.

    Args:
        task: whose loss it is.
        logits: (T, B, 1, H, W).
        target: of the same clips.
    """
    clips = zip(*(part.unbind(1) for part in (logits, target.labels, target.weights)), strict=True)
    return torch.stack([task.loss(*clip) for clip in clips]).mean()


def forward(
    task: Task,
    network: Callable[[Any], Tensor],
    batch: Any,
    *,
    preprocessing: Preprocessing,
    precision: torch.dtype,
) -> tuple[Tensor, Target]:
    """What a network says of a batch that lies on its device, and what it should have said.

    Args:
        task: whose batch it is.
        network: called under autocast, unless `precision` is float32.
        batch: what the task collates.
        preprocessing: of the network.
        precision: of the forward pass.

    Returns:
        Logits (T, B, 1, H, W) in 32 bits, and the target.
    """
    target = task.target(batch)
    device = target.labels.device.type
    with torch.autocast(device, precision, enabled=precision != torch.float32):
        output = network(task.network_input(batch, preprocessing))
    return as_clips(output, target), target


def _normalised(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    """uint8 (N, 3, H, W) -> what the network takes, channels last."""
    floats = images.to(torch.float32, memory_format=torch.channels_last).div_(255)
    return preprocessing.normalise(floats)


def _image_input(batch: ClipBatch, preprocessing: Preprocessing) -> Tensor:
    frames = _normalised(batch.images.flatten(0, 1), preprocessing)
    if batch.motion is None:
        return frames
    maps = enlarge_maps(batch.motion.flatten(0, 1).float(), frames.shape[-1])
    return torch.cat((frames, maps), dim=1)


def _video_input(batch: ClipBatch, preprocessing: Preprocessing) -> Tensor:
    frames = _image_input(batch, preprocessing)
    return frames.view(*batch.images.shape[:2], *frames.shape[1:])


def _fgplg_input(batch: FgplgBatch, preprocessing: Preprocessing) -> Tensor:
    warped, flows = batch.warped.unbind(1), batch.flows.unbind(1)
    frame = _normalised(batch.frame, preprocessing)
    return fgplg_input(frame, (warped[0], warped[1]), (flows[0], flows[1]))


def _evidence_input(batch: EvidenceBatch, preprocessing: Preprocessing) -> EvidenceInput:
    del preprocessing  # the network centres its images itself
    maps = batch.maps.to(torch.float32, memory_format=torch.channels_last).div_(255)
    images = batch.images.float().div_(255)
    return EvidenceInput(maps, batch.distances, batch.positions, images, batch.labels, batch.known_positions)


def _clip_target(batch: ClipBatch) -> Target:
    return Target(batch.labels, batch.weights, batch.images, batch.videos, batch.names)


def _fgplg_target(batch: FgplgBatch) -> Target:
    frames = [(names[1],) for names in batch.names]
    return Target(batch.target[None], batch.weights[None], batch.frame[None], batch.videos, frames)


def _evidence_target(batch: EvidenceBatch) -> Target:
    frames = [(name,) for name in batch.names]
    images = batch.maps[:, :3]
    return Target(batch.truth[None], batch.weights[None], images[None], batch.videos, frames)


TASKS = {
    IMAGE: Task(collate_clips, _image_input, _clip_target),
    VIDEO: Task(collate_clips, _video_input, _clip_target),
    FGPLG: Task(collate_triplets, _fgplg_input, _fgplg_target),
    DENSIFIER: Task(collate_evidence, _evidence_input, _evidence_target, region_loss),
}
_LOSSES = {"cross_entropy": saliency_loss, "region": region_loss}


def task_of(config: TrainConfig) -> Task:
    """The task of a kind of training, with the loss that the options name."""
    task = TASKS[config.kind]
    return task if config.loss == "auto" else replace(task, loss=_LOSSES[config.loss])
