"""RCRNet: the refinement network for single images, and what all networks here are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from vsodtool.models.architecture import CHANNELS_IN, Architecture
from vsodtool.models.backbones.table import Pyramid, create_backbone
from vsodtool.models.rcrnet.decoder import Decoder
from vsodtool.models.rcrnet.layers import ConvBnRelu, resize
from vsodtool.models.rcrnet.motion_encoder import MotionEncoder
from vsodtool.types import Size

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
        self.downsample = nn.Sequential(nn.Conv2d(channels_in, width, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, features: Tensor) -> Tensor:
        """(N, channels_in, h, w) -> (N, width, h, w)."""
        inner = functional.relu(self.bn1(self.conv1(features)))
        inner = functional.relu(self.bn2(self.conv2(inner)))
        return functional.relu(self.bn3(self.conv3(inner)) + self.downsample(features))


class FrameFeatures(NamedTuple):
    """What is known of frames before they are related to each other.

    Attributes:
        context: after ASPP (N, context_width, h, w), at the output stride.
        skips: what else decoding needs: projected backbone features, coarse to fine (N, skip_width, *, *).
        size: (H, W) of the images.
    """

    context: Tensor
    skips: tuple[Tensor, ...]
    size: Size

    def split(self) -> list[FrameFeatures]:
        """The features of each frame by themselves, N = 1; views."""
        return [
            FrameFeatures(context, tuple(skips), self.size)
            for context, *skips in zip(
                *(torch.split(part, 1) for part in (self.context, *self.skips)), strict=True
            )
        ]

    @staticmethod
    def join(parts: Sequence[FrameFeatures]) -> FrameFeatures:
        """The features of several frames, one after the other."""
        skips = tuple(torch.cat(level) for level in zip(*(part.skips for part in parts), strict=True))
        return FrameFeatures(torch.cat([part.context for part in parts]), skips, parts[0].size)


class RcrNet(nn.Module):
    """RCRNet: backbone, ASPP, three refinements, decoder (Yan et al., ICCV 2019, section 3.1)."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        stride = architecture.output_stride
        self.backbone = create_backbone(
            architecture.backbone, channels_in=CHANNELS_IN[architecture.kind], output_stride=stride
        )
        self.motion = MotionEncoder(stride) if architecture.motion_input else None
        beside = (0, 0, 0, 0) if self.motion is None else self.motion.channels
        fine, middle, coarse, deepest = map(sum, zip(self.backbone.channels, beside, strict=True))
        context, skip = architecture.context_width, architecture.skip_width
        refine = architecture.refine_width
        self.aspp = Aspp(deepest, context, stride)
        levels = ((context, coarse), (refine, middle), (refine, fine))
        self.skips = nn.ModuleList(SkipBottleneck(level, skip) for _, level in levels)
        self.refinements = nn.ModuleList(ConvBnRelu(channels + skip, refine, 3) for channels, _ in levels)
        self.decoder: nn.Module = Decoder(refine, architecture.decoder_width)

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images (N, channels_in, H, W) -> logits (N, 1, H, W)."""
        features = self.encode(images)
        return self.decode(features, features.context)

    def encode(self, images: Tensor) -> FrameFeatures:
        """Normalised images (N, channels_in, H, W) -> features, the same for every clip that they are in.

        The skips are projected here already: they are then small enough to be kept for many frames.
        """
        fine, middle, coarse, deepest = self._pyramid(images)
        skips = tuple(skip(level) for skip, level in zip(self.skips, (coarse, middle, fine), strict=True))
        size = (images.shape[-2], images.shape[-1])
        return FrameFeatures(self.aspp(deepest), skips, size)

    def _pyramid(self, images: Tensor) -> Pyramid:
        """Features of the image at four levels, beside them those of its motion if the network sees any."""
        if self.motion is None:
            return self.backbone(images)  # type: ignore[no-any-return]
        seen = CHANNELS_IN[self.architecture.kind]
        fine, middle, coarse, deepest = (
            torch.cat(level, dim=1)
            for level in zip(self.backbone(images[:, :seen]), self.motion(images[:, seen:]), strict=True)
        )
        return fine, middle, coarse, deepest

    def decode(self, features: FrameFeatures, context: Tensor) -> Tensor:
        """Logits (N, 1, H, W) of frames.

        Args:
            features: of the frames.
            context: what takes the place of `features.context` (N, context_width, h, w).
        """
        refined = context
        for refinement, skip in zip(self.refinements, features.skips, strict=True):
            coarse = resize(refined, (skip.shape[-2], skip.shape[-1]))
            refined = refinement(torch.cat((coarse, skip), dim=1))
        return self.decoder(refined, features.size)  # type: ignore[no-any-return]
