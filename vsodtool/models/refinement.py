"""Refinement: the way back up, guided by the finer features of the backbone."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from vsodtool.models.layers import ConvBnRelu


class SkipBottleneck(nn.Module):
    """A residual bottleneck with expansion 2 that projects the features of a backbone layer.

    The names of its parts are those of torchvision's ResNet.
    """

    def __init__(self, channels_in: int, width: int) -> None:
        super().__init__()
        inner = width // 2
        self.conv1 = nn.Conv2d(channels_in, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        self.downsample = nn.Sequential(
            nn.Conv2d(channels_in, width, 1, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, features: Tensor) -> Tensor:
        """(N, channels_in, h, w) -> (N, width, h, w)."""
        inner = functional.relu(self.bn1(self.conv1(features)))
        inner = functional.relu(self.bn2(self.conv2(inner)))
        return functional.relu(self.bn3(self.conv3(inner)) + self.downsample(features))


class Refinement(nn.Module):
    """Coarse features and a projected skip at the same size -> refined features."""

    def __init__(self, channels_coarse: int, channels_skip: int, skip_width: int, width: int) -> None:
        super().__init__()
        self.skip = SkipBottleneck(channels_skip, skip_width)
        self.refine = ConvBnRelu(channels_coarse + skip_width, width, 3)

    def forward(self, coarse: Tensor, skip: Tensor) -> Tensor:
        """Both (N, *, h, w); `skip` has been through `self.skip` -> (N, width, h, w)."""
        return self.refine(torch.cat((coarse, skip), dim=1))  # type: ignore[no-any-return]
