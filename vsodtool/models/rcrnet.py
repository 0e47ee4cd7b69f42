"""RCRNet: the refinement network for single images, and what all networks here are made of."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from vsodtool.models.architecture import Architecture
from vsodtool.models.aspp import Aspp
from vsodtool.models.backbones import create_backbone
from vsodtool.models.decoder import Decoder
from vsodtool.models.layers import resize
from vsodtool.models.refinement import Refinement
from vsodtool.types import Size


class FrameFeatures(NamedTuple):
    """What is known of frames before they are related to each other.

    Attributes:
        context: after ASPP (N, context_width, h, w), at the output stride.
        skips: projected backbone features, coarse to fine (N, skip_width, *, *).
        size: (H, W) of the images.
    """

    context: Tensor
    skips: tuple[Tensor, Tensor, Tensor]
    size: Size


class RcrNet(nn.Module):
    """RCRNet: backbone, ASPP, three refinements, decoder (Yan et al., ICCV 2019, section 3.1)."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        stride = architecture.output_stride
        self.backbone = create_backbone(
            architecture.backbone, channels_in=architecture.channels_in, output_stride=stride
        )
        fine, middle, coarse, deepest = self.backbone.channels
        context, skip = architecture.context_width, architecture.skip_width
        refine = architecture.refine_width
        self.aspp = Aspp(deepest, context, stride)
        self.refinements = nn.ModuleList(
            [
                Refinement(context, coarse, skip, refine),
                Refinement(refine, middle, skip, refine),
                Refinement(refine, fine, skip, refine),
            ]
        )
        self.decoder = Decoder(refine, architecture.decoder_width)

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images (N, channels_in, H, W) -> logits (N, 1, H, W)."""
        features = self.encode(images)
        return self.decode(features, features.context)

    def encode(self, images: Tensor) -> FrameFeatures:
        """Normalised images (N, channels_in, H, W) -> features, the same for every clip that they are in.

        The skips are projected here already: they are then small enough to be kept for many frames.
        """
        fine, middle, coarse, deepest = self.backbone(images)
        skips = [
            refinement.skip(level)
            for refinement, level in zip(self.refinements, (coarse, middle, fine), strict=True)
        ]
        size = (images.shape[-2], images.shape[-1])
        return FrameFeatures(self.aspp(deepest), (skips[0], skips[1], skips[2]), size)

    def decode(self, features: FrameFeatures, context: Tensor) -> Tensor:
        """Logits (N, 1, H, W) of frames.

        Args:
            features: of the frames.
            context: what takes the place of `features.context` (N, context_width, h, w).
        """
        refined = context
        for refinement, skip in zip(self.refinements, features.skips, strict=True):
            refined = refinement(resize(refined, (skip.shape[-2], skip.shape[-1])), skip)
        return self.decoder(refined, features.size)  # type: ignore[no-any-return]
