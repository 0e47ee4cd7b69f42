"""One training sample of FGPLG, and several of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class FgplgSample:
    """Three labelled frames: the target in the middle, the labelled one to its left and to its right.

    Attributes:
        images: uint8 (3, 3, H, W), RGB: left, target, right.
        labels: float32 (3, 1, H, W) in [0, 1]: left, target, right.
        flows: float32 (2, 2, H, W), from the target to the left and to the right, in pixels.
        warped: float32 (2, 1, H, W), the left and the right label seen from the target.
        weights: float32 (1, H, W), of the target's pixels in the loss.
        video: name of the video.
        names: of the three frames.
    """

    images: Tensor
    labels: Tensor
    flows: Tensor
    warped: Tensor
    weights: Tensor
    video: str
    names: tuple[str, str, str]

    @property
    def frame(self) -> Tensor:
        """The target frame, uint8 (3, H, W)."""
        return self.images[1]

    @property
    def target(self) -> Tensor:
        """Its label, float32 (1, H, W)."""
        return self.labels[1]


@dataclass(frozen=True)
class FgplgBatch:
    """B samples; the tensors are those of `FgplgSample` with B in front.

    Attributes:
        images: uint8 (B, 3, 3, H, W).
        labels: float32 (B, 3, 1, H, W).
        flows: float32 (B, 2, 2, H, W).
        warped: float32 (B, 2, 1, H, W).
        weights: float32 (B, 1, H, W).
        videos: B names.
        names: B triples of frame names.
    """

    images: Tensor
    labels: Tensor
    flows: Tensor
    warped: Tensor
    weights: Tensor
    videos: tuple[str, ...]
    names: tuple[tuple[str, str, str], ...]

    @property
    def frame(self) -> Tensor:
        """The target frames, uint8 (B, 3, H, W)."""
        return self.images[:, 1]

    @property
    def target(self) -> Tensor:
        """Their labels, float32 (B, 1, H, W)."""
        return self.labels[:, 1]

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> FgplgBatch:
        """The same batch on a device."""
        parts = (self.images, self.labels, self.flows, self.warped, self.weights)
        images, labels, flows, warped, weights = (
            part.to(device, non_blocking=non_blocking) for part in parts
        )
        return replace(self, images=images, labels=labels, flows=flows, warped=warped, weights=weights)

    def pin_memory(self) -> FgplgBatch:
        """The same batch in page-locked memory (called by DataLoader)."""
        parts = (self.images, self.labels, self.flows, self.warped, self.weights)
        images, labels, flows, warped, weights = (part.pin_memory() for part in parts)
        return replace(self, images=images, labels=labels, flows=flows, warped=warped, weights=weights)


def collate_triplets(samples: Sequence[FgplgSample]) -> FgplgBatch:
    """Stack samples of one size."""
    return FgplgBatch(
        images=torch.stack([sample.images for sample in samples]),
        labels=torch.stack([sample.labels for sample in samples]),
        flows=torch.stack([sample.flows for sample in samples]),
        warped=torch.stack([sample.warped for sample in samples]),
        weights=torch.stack([sample.weights for sample in samples]),
        videos=tuple(sample.video for sample in samples),
        names=tuple(sample.names for sample in samples),
    )
