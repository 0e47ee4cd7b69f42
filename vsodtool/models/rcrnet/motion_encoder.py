"""What moves, as a pyramid beside that of the image: the second branch of networks with motion input.

Not in the paper. Few channels: motion has little variety, and what is learnt of it holds in other videos.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from vsodtool.models.rcrnet.layers import ConvBnRelu
from vsodtool.ops.motion.layout import CHANNELS, REDUCED

WIDTHS = (32, 48, 64, 96)


class MotionEncoder(nn.Module):
    """A small residual network over motion maps; its four levels have the sizes of a backbone's."""

    def __init__(self, output_stride: int) -> None:
        super().__init__()
        self.stem = ConvBnRelu(CHANNELS, WIDTHS[0], 3)
        strides = (2, 2, 2 if output_stride == 16 else 1, 1)
        widths = (WIDTHS[0], *WIDTHS)
        self.levels = nn.ModuleList(
            residual(before, after, stride)
            for (before, after), stride in zip(pairwise(widths), strides, strict=True)
        )
        self.channels = WIDTHS

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Motion maps enlarged to the images' size (N, CHANNELS, H, W) -> at a quarter ... the deepest."""
        features = self.stem(functional.avg_pool2d(maps, REDUCED))
        found = []
        for level in self.levels:
            features = level(features)
            found.append(features)
        return found[0], found[1], found[2], found[3]


def residual(channels_in: int, channels_out: int, stride: int) -> nn.Module:
    """A residual block of two 3x3 convolutions; where sizes differ, a 1x1 convolution is the shortcut."""
    from torchvision.models.resnet import BasicBlock  # late, as in backbones/table.py

    shortcut = None
    if stride > 1 or channels_in != channels_out:
        shortcut = nn.Sequential(
            nn.Conv2d(channels_in, channels_out, 1, stride, bias=False), nn.BatchNorm2d(channels_out)
        )
    block: nn.Module = BasicBlock(channels_in, channels_out, stride, shortcut)
    return block
