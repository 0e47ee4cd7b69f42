"""One training sample of a learned densifier, and several of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class EvidenceBatch:
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

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> EvidenceBatch:
        """The same batch on a device."""
        return self._map(lambda part: part.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> EvidenceBatch:
        """The same batch in page-locked memory (called by DataLoader)."""
        return self._map(Tensor.pin_memory)

    def _map(self, change: Callable[[Tensor], Tensor]) -> EvidenceBatch:
        changed: dict[str, Any] = {name: change(part) for name, part in self._tensors().items()}
        return replace(self, **changed)

    def _tensors(self) -> dict[str, Tensor]:
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: part for name, part in parts.items() if isinstance(part, Tensor)}


def collate_evidence(samples: Sequence[EvidenceBatch]) -> EvidenceBatch:
    """Stack samples of one size."""
    names = list(samples[0]._tensors())
    return EvidenceBatch(
        **{name: torch.cat([getattr(sample, name) for sample in samples]) for name in names},
        videos=tuple(name for sample in samples for name in sample.videos),
        names=tuple(name for sample in samples for name in sample.names),
    )
