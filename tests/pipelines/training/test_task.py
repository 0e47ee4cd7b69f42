"""What training is made of, whatever the kind: the loss of clips, and one forward pass."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.rcrnet.losses import saliency_loss
from vsodtool.pipelines.training.task import Forward, Target, Task, clip_loss, normalised


def target(labels: Tensor, weights: Tensor) -> Target:
    frames, clips = labels.shape[:2]
    images = torch.zeros(frames, clips, 3, *labels.shape[-2:], dtype=torch.uint8)
    names = [tuple(str(frame) for frame in range(frames))] * clips
    return Target(labels, weights, images, [str(clip) for clip in range(clips)], names)


def task(labels: Tensor, weights: Tensor) -> Task:
    return Task(
        collate=list,
        network_input=lambda batch, seen: batch * float(seen.mean[0]),
        target=lambda _: target(labels, weights),
    )


def test_each_clip_counts_the_same_whatever_its_weights() -> None:
    generator = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(2, 3, 2, 1, 4, 5, generator=generator).unbind()
    weights = torch.ones_like(labels)
    weights[:, 1] = 0.01
    parts = [saliency_loss(*(part[:, clip] for part in (logits, labels, weights))) for clip in range(2)]
    whole = clip_loss(task(labels, weights), logits, target(labels, weights))
    torch.testing.assert_close(whole, (parts[0] + parts[1]) / 2)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_a_pass_gives_logits_in_the_shape_of_the_labels_and_in_32_bits(precision: torch.dtype) -> None:
    labels = torch.zeros(3, 2, 1, 4, 5)
    seen: list[Any] = []

    def network(values: Tensor) -> Tensor:
        seen.append(torch.is_autocast_enabled("cpu"))
        return (values @ torch.ones(5, 5)).flatten(0, 1)  # (T B, 1, H, W), as networks for images say it

    forward = Forward(task(labels, torch.ones_like(labels)), Preprocessing(mean=(2.0, 0, 0)), precision)
    judged = forward(network, torch.ones_like(labels))
    assert seen == [precision is torch.bfloat16]
    assert judged.logits.dtype is torch.float32
    assert torch.equal(judged.logits, torch.full_like(labels, 10.0))
    torch.testing.assert_close(judged.loss, saliency_loss(judged.logits, labels))
    assert judged.target.labels is labels


def test_pictures_are_normalised_as_the_network_expects() -> None:
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 3, 1, 1).expand(2, 3, 4, 4)
    found = normalised(images, Preprocessing(mean=(0.0, 0.2, 0.5), std=(1.0, 1.0, 0.25)))
    torch.testing.assert_close(found[0, :, 0, 0], torch.tensor([0.0, 0.0, 2.0]))
    assert found.is_contiguous(memory_format=torch.channels_last)
