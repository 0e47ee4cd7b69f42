"""From refined features to one logit per pixel."""

from __future__ import annotations

from torch import Tensor, nn

from vsodtool.models.rcrnet.layers import ConvBnRelu, resize
from vsodtool.types import Size


class Decoder(nn.Module):
    """Resize to the size of the input, 3x3 conv-BN-ReLU, 1x1 convolution."""

    def __init__(self, channels_in: int, width: int) -> None:
        super().__init__()
        self.hidden = ConvBnRelu(channels_in, width, 3)
        self.logit = nn.Conv2d(width, 1, 1)

    def forward(self, features: Tensor, size: Size) -> Tensor:
        """(N, channels_in, h, w) -> logits (N, 1, *size)."""
        return self.logit(self.hidden(resize(features, size)))  # type: ignore[no-any-return]
