"""The small pieces that all networks share."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from vsodtool.types import Size


class ConvBnRelu(nn.Module):
    """Convolution without bias, batch normalisation, ReLU; the size is kept."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int, dilation: int = 1) -> None:
        super().__init__()
        padding = dilation * (kernel // 2)
        self.conv = nn.Conv2d(
            channels_in, channels_out, kernel, padding=padding, dilation=dilation, bias=False
        )
        self.bn = nn.BatchNorm2d(channels_out)

    def forward(self, features: Tensor) -> Tensor:
        """(N, channels_in, H, W) -> (N, channels_out, H, W), at least 0."""
        found = self.bn(self.conv(features))
        return functional.relu(found, inplace=not self.training)  # saves a copy at the peak


def resize(values: Tensor, size: Size) -> Tensor:
    """Bilinear, align_corners=False, as everywhere in the paper's networks; no-op where the size fits.

    Args:
        values: (N, C, h, w).
        size: (H, W) wanted.
    """
    if (values.shape[-2], values.shape[-1]) == size:
        return values
    return functional.interpolate(values, size=size, mode="bilinear", align_corners=False)
