"""Atrous spatial pyramid pooling: context at several scales."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vsodtool.models.rcrnet.layers import ConvBnRelu

DILATIONS = {16: (6, 12, 18), 8: (12, 24, 36)}  # by output stride
DROPOUT = 0.1


class Aspp(nn.Module):
    """Global average, a 1x1 and three dilated 3x3 branches, concatenated in this order and projected.

    Source: Yan et al., ICCV 2019, section 3.1; Chen et al., arXiv 1706.05587.
    """

    def __init__(self, channels_in: int, width: int, output_stride: int) -> None:
        super().__init__()
        self.pool = ConvBnRelu(channels_in, width, 1)
        self.branches = nn.ModuleList(
            [
                ConvBnRelu(channels_in, width, 1),
                *(ConvBnRelu(channels_in, width, 3, dilation) for dilation in DILATIONS[output_stride]),
            ]
        )
        self.project = ConvBnRelu(5 * width, width, 3)
        self.dropout = nn.Dropout2d(DROPOUT)

    def forward(self, features: Tensor) -> Tensor:
        """(N, channels_in, h, w) -> (N, width, h, w)."""
        mean = self.pool(features.mean(dim=(-2, -1), keepdim=True))
        parts = [mean.expand(-1, -1, *features.shape[-2:]), *(branch(features) for branch in self.branches)]
        return self.dropout(self.project(torch.cat(parts, dim=1)))  # type: ignore[no-any-return]
