"""U²-Net: a U of small Us. Qin et al., Pattern Recognition 106, 2020 (arXiv 2005.09007), figures 2 and 5.

Written for weights whose batch normalisation is folded into the convolutions: for use, not for training
(sums and rectifiers are in place). Parts are registered in the order in which they compute, as an ONNX file
has them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from vsodtool.models.rcrnet.layers import resize
from vsodtool.models.rcrnet.network import FrameFeatures
from vsodtool.models.u2net.architecture import U2NetArchitecture

_DEPTHS = (7, 6, 5, 4)  # of the blocks at the full size ... at an eighth
_FLAT = (1, 2, 4, 8)  # dilations of the blocks at a sixteenth and below, which keep their size
_BOTTOM = 2  # dilation at the bottom of the others


class ConvRelu(nn.Module):
    """3x3 convolution with bias, ReLU; the size is kept."""

    def __init__(self, channels_in: int, channels_out: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 3, padding=dilation, dilation=dilation)

    def forward(self, features: Tensor) -> Tensor:
        """(N, channels_in, H, W) -> (N, channels_out, H, W), at least 0."""
        return functional.relu_(self.conv(features))


class ResidualU(nn.Module):
    """RSU-L: a convolution, and a U of L levels over it whose outcome is added (section 3.1 of the paper).

    With `_FLAT` dilations it is RSU-4F: nothing is made smaller, the kernels are widened instead.
    """

    def __init__(
        self, channels_in: int, inner: int, channels_out: int, dilations: Sequence[int], *, pools: bool
    ) -> None:
        super().__init__()
        self._pools = pools
        self.enter = ConvRelu(channels_in, channels_out)
        self.down = nn.ModuleList(
            ConvRelu(inner if level else channels_out, inner, dilation)
            for level, dilation in enumerate(dilations)
        )
        upward = list(dilations[-2::-1])
        self.up = nn.ModuleList(
            ConvRelu(2 * inner, channels_out if level == len(upward) - 1 else inner, dilation)
            for level, dilation in enumerate(upward)
        )

    def forward(self, features: Tensor) -> Tensor:
        """(N, channels_in, H, W) -> (N, channels_out, H, W)."""
        entered = self.enter(features)
        levels = [self.down[0](entered)]
        for number, convolution in enumerate(self.down[1:], 1):
            is_bottom = number == len(self.down) - 1  # at the size of the level above it
            above = _pool(levels[-1]) if self._pools and not is_bottom else levels[-1]
            levels.append(convolution(above))
        joined = levels.pop()
        for convolution in self.up:
            beside = levels.pop()
            joined = convolution(_join(joined, beside))
        return joined.add_(entered)  # type: ignore[no-any-return]


class U2NetFeatures(nn.Module):
    """Six stages down, and as many up as are asked for."""

    def __init__(self, architecture: U2NetArchitecture, decoders: int = len(_DEPTHS) + 1) -> None:
        """Random weights.

        Args:
            architecture: the widths.
            decoders: stages up, from the smallest on; 3 of the 5 lead to a quarter of the size.
        """
        super().__init__()
        width, flat = architecture.width, len(_DEPTHS)
        self.stages = nn.ModuleList(
            _block(width if number else 3, architecture, number) for number in range(flat + 2)
        )
        self.decoders = nn.ModuleList(
            _block(2 * width, architecture, number) for number in range(flat, flat - decoders, -1)
        )

    def features(self, images: Tensor) -> list[Tensor]:
        """Normalised images (N, 3, H, W) -> (N, width, h, w) of decoders and last stage, fine to coarse."""
        levels = [self.stages[0](images)]
        for stage in self.stages[1:]:
            levels.append(stage(_pool(levels[-1])))
        found = [levels.pop()]
        for decoder in self.decoders:
            found.append(decoder(_join(found[-1], levels.pop())))
        return found[::-1]


class U2Net(U2NetFeatures):
    """The whole network: six stages down, five up, a map at each of six sizes and one made of them."""

    def __init__(self, architecture: U2NetArchitecture) -> None:
        super().__init__(architecture)
        self.architecture = architecture
        sides = len(_DEPTHS) + 2
        self.sides = nn.ModuleList(nn.Conv2d(architecture.width, 1, 3, padding=1) for _ in range(sides))
        self.fuse = nn.Conv2d(sides, 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images (N, 3, H, W) -> logits (N, 1, H, W)."""
        return self.side_logits(images)[:, :1]

    def side_logits(self, images: Tensor) -> Tensor:
        """Normalised images (N, 3, H, W) -> (N, 7, H, W): the logits, and those of each size.

        The first are a weighted sum of the others, which come fine to coarse (section 3.2).
        """
        size = (images.shape[-2], images.shape[-1])
        levels = self.features(images)
        every = torch.cat(
            [resize(side(level), size) for side, level in zip(self.sides, levels, strict=True)], dim=1
        )
        return torch.cat((self.fuse(every), every), dim=1)

    def encode(self, images: Tensor) -> FrameFeatures:
        """Normalised images (N, 3, H, W) -> their logits in the place of context: frames are not related."""
        return FrameFeatures(self(images), (), (images.shape[-2], images.shape[-1]))

    def decode(self, features: FrameFeatures, context: Tensor) -> Tensor:
        """The logits (N, 1, H, W) that `encode` found."""
        del features
        return context


def _block(channels_in: int, architecture: U2NetArchitecture, number: int) -> ResidualU:
    """The block at 1/2^number of the image's size."""
    pools = number < len(_DEPTHS)
    dilations = (*(1,) * (_DEPTHS[number] - 1), _BOTTOM) if pools else _FLAT
    return ResidualU(channels_in, architecture.inner_width, architecture.width, dilations, pools=pools)


def _pool(features: Tensor) -> Tensor:
    return functional.max_pool2d(features, 2, ceil_mode=True)


def _join(coarse: Tensor, fine: Tensor) -> Tensor:
    return torch.cat((resize(coarse, (fine.shape[-2], fine.shape[-1])), fine), dim=1)
