"""What training is made of, whatever the kind: batches into a network, a target, a loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.rcrnet.losses import saliency_loss


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
    """What a kind of training asks of a network.

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


class Judged(NamedTuple):
    """What a network said of a batch.

    Attributes:
        logits: (T, B, 1, H, W) in 32 bits.
        target: what it should have said.
        loss: the mean of the losses of the clips.
    """

    logits: Tensor
    target: Target
    loss: Tensor


@dataclass(frozen=True)
class Forward:
    """A forward pass of a task, the same in training, validation and adaptation.

    Attributes:
        task: whose batches they are.
        preprocessing: of the network.
        precision: of the matrix products; the network is called under autocast, unless it is float32.
    """

    task: Task
    preprocessing: Preprocessing
    precision: torch.dtype

    def __call__(self, network: Callable[[Any], Tensor], batch: Any) -> Judged:
        """What a network says of a batch that lies on its device."""
        target = self.task.target(batch)
        device = target.labels.device.type
        with torch.autocast(device, self.precision, enabled=self.precision != torch.float32):
            output = network(self.task.network_input(batch, self.preprocessing))
        logits = output.float().view(target.labels.shape)
        return Judged(logits, target, clip_loss(self.task, logits, target))


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


def normalised(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    """uint8 (N, 3, H, W) -> what the network takes, channels last."""
    floats = images.to(torch.float32, memory_format=torch.channels_last).div_(255)
    return preprocessing.normalise(floats)
