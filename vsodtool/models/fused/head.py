"""U²-Net's features and motion maps -> a map: looks decoded anew, by one who sees what moves."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from vsodtool.models.rcrnet.layers import ConvBnRelu, resize
from vsodtool.models.rcrnet.motion_encoder import residual
from vsodtool.ops.motion.layout import CHANNELS

REDUCED = 4  # the head works at this fraction of the images' size, and coarser
WIDTHS = (24, 32, 36, 40)
_DROPOUT = 0.1


class LooksHead(nn.Module):
    """A U: down over motion maps with the features of each size laid beside them, and up again.

    Not in the paper. Few channels, as few videos teach it: the features, of a network that saw ten thousand
    pictures, stay as they are.
    """

    def __init__(self, looks_width: int) -> None:
        """Random weights.

        Args:
            looks_width: channels of U²-Net's features.
        """
        super().__init__()
        self.looks = nn.ModuleList(ConvBnRelu(looks_width, width, 1) for width in WIDTHS)
        self.stem = ConvBnRelu(CHANNELS, WIDTHS[0], 3)
        self.motion = nn.ModuleList(
            [
                residual(WIDTHS[0], WIDTHS[0], 1),
                *(residual(2 * before, after, 2) for before, after in pairwise(WIDTHS)),
            ]
        )
        self.fuse = nn.ModuleList(ConvBnRelu(2 * fine + coarse, fine, 3) for fine, coarse in pairwise(WIDTHS))
        self.deep = ConvBnRelu(4 * WIDTHS[-1], WIDTHS[-1], 3)
        self.logit = nn.Conv2d(WIDTHS[0], 1, 1)
        self.dropout = nn.Dropout2d(_DROPOUT)

    def forward(self, features: list[Tensor], maps: Tensor) -> Tensor:
        """Logits at a quarter of the images' size.

        Args:
            features: of U²-Net, four sizes, fine to coarse, (N, looks_width, h, w) first.
            maps: motion maps enlarged to the images' size (N, CHANNELS, H, W).

        Returns:
            (N, 1, h, w).
        """
        return self.decode(features, reduce(maps))

    def decode(self, features: list[Tensor], reduced: Tensor) -> Tensor:
        """As `forward`, of motion maps that `reduce` made (N, CHANNELS, h, w)."""
        seen = self.stem(reduced)
        levels = []
        for motion, looks, found in zip(self.motion, self.looks, features, strict=True):
            seen = torch.cat((self.dropout(motion(seen)), self.dropout(looks(found))), dim=1)
            levels.append(seen)
        deepest = levels[-1]
        everywhere = deepest.mean((-2, -1), keepdim=True).expand_as(deepest)
        joined = self.deep(torch.cat((deepest, everywhere), dim=1))
        for fuse, level in zip(reversed(self.fuse), reversed(levels[:-1]), strict=True):
            joined = fuse(torch.cat((level, resize(joined, (level.shape[-2], level.shape[-1]))), dim=1))
        return self.logit(joined)  # type: ignore[no-any-return]


def reduce(maps: Tensor) -> Tensor:
    """Motion maps (N, CHANNELS, H, W) at a quarter of their size, means of squares."""
    return functional.avg_pool2d(maps, REDUCED)
