"""A detector that sees every frame twice, once mirrored left and right, and takes the mean of both maps."""

from __future__ import annotations

import torch
from torch import Tensor

from vsodtool.models.detector.detector import Detector
from vsodtool.models.rcrnet.network import FrameFeatures
from vsodtool.ops.motion.maps import mirror_maps


class MirroredDetector(Detector):
    """As `Detector`, at twice the cost.

    It helps the more, the less a network has seen: benchmarks/TRIED.md, "The mean of a map and its mirror".
    Features of the mirrored frame follow those of the frame itself, channel after channel.
    """

    @torch.inference_mode()
    def encode(self, images: Tensor, motion: Tensor | None = None) -> FrameFeatures:
        """As `Detector.encode`; twice as many channels."""
        plain = super().encode(images, motion)
        other = super().encode(images.flip(-1), None if motion is None else mirror_maps(motion))
        skips = tuple(torch.cat(pair, dim=1) for pair in zip(plain.skips, other.skips, strict=True))
        return FrameFeatures(torch.cat((plain.context, other.context), dim=1), skips, plain.size)

    @torch.inference_mode()
    def relate(self, context: Tensor) -> Tensor:
        """As `Detector.relate`; clips and mirrored clips are related apart."""
        if context.ndim != 5:
            return super().relate(context)  # which refuses it
        both = super().relate(torch.cat(context.chunk(2, dim=2), dim=1))
        return torch.cat(both.chunk(2, dim=1), dim=2)

    @torch.inference_mode()
    def decode(self, features: FrameFeatures, context: Tensor) -> Tensor:
        """As `Detector.decode`: the mean of both."""
        plain, mirrored = _halves(features)
        related = context.chunk(2, dim=1)
        return (super().decode(plain, related[0]) + super().decode(mirrored, related[1]).flip(-1)) / 2


def _halves(features: FrameFeatures) -> list[FrameFeatures]:
    """The features of frames and those of the mirrored frames."""
    halves = zip(*(level.chunk(2, dim=1) for level in (features.context, *features.skips)), strict=True)
    return [FrameFeatures(context, tuple(skips), features.size) for context, *skips in halves]
