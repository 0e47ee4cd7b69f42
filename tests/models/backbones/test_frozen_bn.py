"""Statistics that stay."""

from __future__ import annotations

import torch
from torch import nn

from tests.models.stirred import stirred
from vsodtool.models.backbones.frozen_bn import FrozenBatchNorm2d, freeze_batch_norm
from vsodtool.models.rcrnet.network import Aspp


def test_frozen_statistics_survive_training_mode() -> None:
    torch.manual_seed(5)
    aspp = stirred(Aspp(6, 8, 16))
    features = torch.randn(2, 6, 9, 9)
    expected, names = aspp(features), list(aspp.state_dict())
    assert freeze_batch_norm(aspp) == 6
    aspp.train()
    for part in aspp.modules():
        if isinstance(part, nn.Dropout2d):
            part.eval()
    before = {name: value.clone() for name, value in aspp.state_dict().items()}
    torch.testing.assert_close(aspp(features), expected)
    assert list(aspp.state_dict()) == names
    assert all(torch.equal(value, before[name]) for name, value in aspp.state_dict().items())
    weight = aspp.pool.bn.weight  # type: ignore[union-attr]
    assert isinstance(weight, nn.Parameter)
    assert weight.requires_grad
    assert freeze_batch_norm(aspp, affine=False) == 6
    assert not weight.requires_grad
    assert sum(isinstance(part, FrozenBatchNorm2d) for part in aspp.modules()) == 6
