"""Samples stacked the way the networks take them, moved and pinned as one."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from vsodtool.data.batches import (
    Batched,
    ClipSample,
    EvidenceBatch,
    FgplgSample,
    collate_clips,
    collate_evidence,
    collate_triplets,
)

SIDE = 8


def clip(number: int, motion: bool) -> ClipSample:
    return ClipSample(
        images=torch.full((2, 3, SIDE, SIDE), number, dtype=torch.uint8),
        labels=torch.rand(2, 1, SIDE, SIDE),
        weights=torch.ones(2, 1, SIDE, SIDE),
        video=f"v{number}",
        names=("0", "1"),
        motion=torch.zeros(2, 4, SIDE // 2, SIDE // 2).half() if motion else None,
    )


def triplet(number: int) -> FgplgSample:
    return FgplgSample(
        images=torch.full((3, 3, SIDE, SIDE), number, dtype=torch.uint8),
        labels=torch.rand(3, 1, SIDE, SIDE),
        flows=torch.rand(2, 2, SIDE, SIDE),
        warped=torch.rand(2, 1, SIDE, SIDE),
        weights=torch.ones(1, SIDE, SIDE),
        video=f"v{number}",
        names=("0", "1", "2"),
    )


def evidence(number: int) -> EvidenceBatch:
    names = ("maps", "distances", "positions", "images", "labels", "known_positions", "truth", "weights")
    parts: dict[str, Any] = {name: torch.full((1, 2), float(number)) for name in names}
    return EvidenceBatch(**parts, videos=(f"v{number}",), names=(f"{number}",))


@pytest.mark.parametrize("motion", [False, True])
def test_clips_are_stacked_frames_first(motion: bool) -> None:
    samples = [clip(number, motion) for number in range(3)]
    batch = collate_clips(samples)
    assert batch.images.shape == (2, 3, 3, SIDE, SIDE)
    assert torch.equal(batch.labels[:, 1], samples[1].labels)
    assert (batch.videos, batch.names[2]) == (("v0", "v1", "v2"), ("0", "1"))
    assert (batch.motion is not None) == motion
    assert set(batch.tensors()) == {"images", "labels", "weights", *(["motion"] if motion else [])}


def test_triplets_know_what_is_in_their_middle() -> None:
    samples = [triplet(number) for number in range(2)]
    batch = collate_triplets(samples)
    assert batch.flows.shape == (2, 2, 2, SIDE, SIDE)
    assert torch.equal(batch.frame[1], samples[1].frame)
    assert torch.equal(batch.target[1], samples[1].labels[1])
    assert batch.names == (("0", "1", "2"),) * 2


def test_evidence_is_put_one_after_the_other() -> None:
    batch = collate_evidence([evidence(1), evidence(2)])
    assert batch.truth.tolist() == [[1, 1], [2, 2]]
    assert (batch.videos, batch.names) == (("v1", "v2"), ("1", "2"))


@pytest.mark.parametrize(
    "batch",
    [collate_clips([clip(1, True)]), collate_triplets([triplet(1)]), collate_evidence([evidence(1)])],
    ids=lambda batch: type(batch).__name__,
)
def test_every_tensor_goes_along(batch: Batched, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = batch.to("meta")
    assert {part.device.type for part in moved.tensors().values()} == {"meta"}
    assert moved.tensors().keys() == batch.tensors().keys()
    assert type(moved) is type(batch)
    pinned: list[torch.Size] = []

    def pin(tensor: torch.Tensor) -> torch.Tensor:
        pinned.append(tensor.shape)
        return tensor

    monkeypatch.setattr(torch.Tensor, "pin_memory", pin)  # there is no GPU to pin for
    batch.pin_memory()
    assert len(pinned) == len(batch.tensors())
