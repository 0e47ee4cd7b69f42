"""Training samples of each kind of network, and several of them stacked the way the networks take them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batched:
    """Base of batches: dataclasses of tensors, of which some may be None, and of names."""

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> Self:
        """The same batch on a device."""
        return self._map(lambda part: part.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> Self:
        """The same batch in page-locked memory (called by DataLoader)."""
        return self._map(Tensor.pin_memory)

    def tensors(self) -> dict[str, Tensor]:
        """The tensors by their names."""
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: part for name, part in parts.items() if isinstance(part, Tensor)}

    def _map(self, change: Callable[[Tensor], Tensor]) -> Self:
        changed: dict[str, Any] = {name: change(part) for name, part in self.tensors().items()}
        return replace(self, **changed)


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
class ClipBatch(Batched):
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
class FgplgBatch(Batched):
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


@dataclass(frozen=True)
class EvidenceBatch(Batched):
    """Evidence about hidden frames, on squares of them; B is 1 in a sample.

    Attributes:
        maps: uint8 (B, MAPS, S, S), see `ops.evidence_maps`.
        distances: float32 (B, 2), to the left and the right labelled frame, in frames.
        positions: float32 (B, 2, S / 8, S / 8), see `ops.object_frame`.
        images: uint8 (B, 2, 3, M, M), of the labelled frames around the object.
        labels: float32 (B, 2, 1, M, M) in [0, 1].
        known_positions: float32 (B, 2, 2, M / 8, M / 8).
        truth: float32 (B, 1, S, S) in [0, 1], the hidden label.
        weights: float32 (B, 1, S, S), of the pixels in the loss.
        videos: B names.
        names: B names of hidden frames.
    """

    maps: Tensor
    distances: Tensor
    positions: Tensor
    images: Tensor
    labels: Tensor
    known_positions: Tensor
    truth: Tensor
    weights: Tensor
    videos: tuple[str, ...]
    names: tuple[str, ...]


def collate_evidence(samples: Sequence[EvidenceBatch]) -> EvidenceBatch:
    """Stack samples of one size."""
    names = list(samples[0].tensors())
    return EvidenceBatch(
        **{name: torch.cat([getattr(sample, name) for sample in samples]) for name in names},
        videos=tuple(name for sample in samples for name in sample.videos),
        names=tuple(name for sample in samples for name in sample.names),
    )
