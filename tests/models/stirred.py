"""Modules with statistics and weights of normalisation that are not 0 and 1."""

from __future__ import annotations

import torch
from torch import nn


def stirred(module: nn.Module, seed: int = 0) -> nn.Module:
    """The module in eval mode, with statistics and weights of its normalisation that are not 0 and 1."""
    made = torch.Generator().manual_seed(seed)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            for values, low in ((part.weight, 0.5), (part.bias, -0.5), (part.running_mean, -0.5)):
                assert values is not None
                values.data = torch.rand(values.shape, generator=made) + low
            assert part.running_var is not None
            part.running_var.data = torch.rand(part.running_var.shape, generator=made) + 0.5
    return module.eval()
