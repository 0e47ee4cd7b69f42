"""A network whose encoder stays as it is: what that makes of a sample is computed once, and remembered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from vsodtool.errors import ConfigError
from vsodtool.models.backbones.frozen_bn import freeze_batch_norm
from vsodtool.models.rcrnet.network import FrameFeatures
from vsodtool.models.rcrnet.video import ENCODER, VideoRcrNet

MOST_BYTES = 3 << 29  # 1.5 GiB: some 190 clips of 4 frames at 320 x 320


def freeze_encoder(network: nn.Module) -> None:
    """Leave everything that sees one frame by itself, but for a head over U²-Net, as it is.

    Raises:
        ConfigError: the network has nothing else.
    """
    for name, part in _of_videos(network).named_children():
        if name in ENCODER:
            part.requires_grad_(False)
            freeze_batch_norm(part)


@dataclass
class Memory:
    """Features by the number of their sample, up to MOST_BYTES; what does not fit is computed each time."""

    features: dict[int, FrameFeatures] = field(default_factory=dict)
    bytes: int = 0

    def keep(self, sample: int, features: FrameFeatures) -> None:
        """Remember the features of a sample if there is room."""
        size = sum(part.nbytes for part in (features.context, *features.skips))
        if self.bytes + size <= MOST_BYTES:
            self.features[sample] = features
            self.bytes += size


class FrozenEncoder(nn.Module):
    """A video network, for clips that come again."""

    def __init__(self, network: nn.Module, memory: Memory | None = None) -> None:
        """Nothing is known yet.

        Args:
            network: whose encoder has been frozen.
            memory: of features of this encoder, which may be shared by networks that differ in the rest; None
                where no sample comes twice.

        Raises:
            ConfigError: the network is none of videos.
        """
        super().__init__()
        self.network = _of_videos(network)
        self.samples: Sequence[int] = ()
        self._memory = memory

    def forward(self, clips: Tensor) -> Tensor:
        """Normalised clips (T, B, C, H, W), which are `samples` -> logits (T, B, 1, H, W)."""
        seen = [
            self._observe(sample, clip) for sample, clip in zip(self.samples, clips.unbind(1), strict=True)
        ]
        return self.network.conclude(_side_by_side(seen), len(clips))

    @torch.no_grad()
    def _observe(self, sample: int, clip: Tensor) -> FrameFeatures:
        known = None if self._memory is None else self._memory.features.get(sample)
        if known is None:
            was_training = self.network.training
            self.network.eval()  # without dropout
            known = self.network.observe(clip)
            self.network.train(was_training)
            if self._memory is not None:
                self._memory.keep(sample, known)
        return known


def _of_videos(network: nn.Module) -> VideoRcrNet:
    if not isinstance(network, VideoRcrNet):
        raise ConfigError(
            f"freeze_encoder: expected a network that relates frames, found {type(network).__name__}",
            "say --no-freeze-encoder, or train kind video",
        )
    return network


def _side_by_side(clips: Sequence[FrameFeatures]) -> FrameFeatures:
    """Features of B clips of T frames as those of T B frames, frame t of clip b at t B + b."""
    context, *skips = (
        torch.stack(parts, dim=1).flatten(0, 1)
        for parts in zip(*((clip.context, *clip.skips) for clip in clips), strict=True)
    )
    return FrameFeatures(context, tuple(skips), clips[0].size)
