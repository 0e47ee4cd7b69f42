"""One training clip, and several of them stacked the way the networks take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class ClipSample:
    """A clip of T frames, or one frame with T = 1.

    Attributes:
        images: uint8 (T, 3, H, W), RGB.
        labels: float32 (T, 1, H, W) in [0, 1].
        weights: float32 (T, 1, H, W), of the pixels in the loss; 1 for given labels.
        video: name of the video.
        names: of the frames.
        motion: motion maps (`ops.motion_maps`), float16 (T, CHANNELS, H / 2, W / 2); None makes none.
    """

    images: Tensor
    labels: Tensor
    weights: Tensor
    video: str
    names: tuple[str, ...]
    motion: Tensor | None = None


@dataclass(frozen=True)
class ClipBatch:
    """B clips, frames first, as `VideoRcrNet` takes them.

    Attributes:
        images: uint8 (T, B, 3, H, W), RGB.
        labels: float32 (T, B, 1, H, W) in [0, 1].
        weights: float32 (T, B, 1, H, W).
        videos: B names.
        names: B tuples of T frame names.
        motion: float16 (T, B, CHANNELS, H / 2, W / 2), or None.
    """

    images: Tensor
    labels: Tensor
    weights: Tensor
    videos: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]
    motion: Tensor | None = None

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> ClipBatch:
        """The same batch on a device."""
        parts = (self.images, self.labels, self.weights)
        images, labels, weights = (part.to(device, non_blocking=non_blocking) for part in parts)
        motion = None if self.motion is None else self.motion.to(device, non_blocking=non_blocking)
        return replace(self, images=images, labels=labels, weights=weights, motion=motion)

    def pin_memory(self) -> ClipBatch:
        """The same batch in page-locked memory (called by DataLoader)."""
        return replace(
            self,
            images=self.images.pin_memory(),
            labels=self.labels.pin_memory(),
            weights=self.weights.pin_memory(),
            motion=None if self.motion is None else self.motion.pin_memory(),
        )


def collate_clips(samples: Sequence[ClipSample]) -> ClipBatch:
    """Stack clips of one length and size, all of them with motion maps or none."""
    motions = [sample.motion for sample in samples if sample.motion is not None]
    return ClipBatch(
        images=torch.stack([sample.images for sample in samples], dim=1),
        labels=torch.stack([sample.labels for sample in samples], dim=1),
        weights=torch.stack([sample.weights for sample in samples], dim=1),
        videos=tuple(sample.video for sample in samples),
        names=tuple(sample.names for sample in samples),
        motion=torch.stack(motions, dim=1) if motions else None,
    )
