"""The head over U²-Net's features: shapes, and that it hears both of its senses."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from vsodtool.models.fused.head import LooksHead
from vsodtool.models.inference.prepare import fold_batch_norm
from vsodtool.ops.motion.layout import CHANNELS


@pytest.fixture
def head() -> LooksHead:
    torch.manual_seed(0)
    return LooksHead(8).eval().requires_grad_(False)


def features(height: int, width: int) -> list[Tensor]:
    """Of an image of this size, at a quarter of it and below, as U²-Net pools: rounded up."""
    sizes = [(-(-height // factor), -(-width // factor)) for factor in (4, 8, 16, 32)]
    return [torch.rand(2, 8, *size, generator=torch.manual_seed(1)) for size in sizes]


def maps(height: int, width: int) -> Tensor:
    return torch.randn(2, CHANNELS, height, width, generator=torch.manual_seed(2))


@pytest.mark.parametrize("size", [(64, 64), (80, 48)])
def test_one_logit_for_a_square_of_four(head: LooksHead, size: tuple[int, int]) -> None:
    assert head(features(*size), maps(*size)).shape == (2, 1, size[0] // 4, size[1] // 4)


def test_it_hears_looks_and_motion(head: LooksHead) -> None:
    both = head(features(64, 64), maps(64, 64))
    assert not torch.equal(head([0 * level for level in features(64, 64)], maps(64, 64)), both)
    assert not torch.equal(head(features(64, 64), 0 * maps(64, 64)), both)


def test_every_normalisation_is_folded_for_use(head: LooksHead) -> None:
    for module in head.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 2)
    before = head(features(64, 64), maps(64, 64))
    count = sum(isinstance(module, torch.nn.BatchNorm2d) for module in head.modules())
    assert fold_batch_norm(head) == count
    torch.testing.assert_close(head(features(64, 64), maps(64, 64)), before, rtol=0, atol=1e-4)
