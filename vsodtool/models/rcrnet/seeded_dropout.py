"""Dropout whose masks belong to the samples of a batch, however the batch is divided."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vsodtool.errors import ShapeError


class SeededDropout2d(nn.Dropout2d):
    """A Dropout2d that draws the mask of each sample from that sample's own seed.

    So a step gives the same gradient in one process, in several, in accumulated parts, and when it is done
    again after a crash. Without seeds, and in evaluation, it is a plain Dropout2d.
    """

    seeds: Sequence[int] = ()

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, h, w) -> the same shape; N = T x number of seeds, ordered frame by frame.

        Raises:
            ShapeError: N is no multiple of the number of seeds.
        """
        if not self.training or not self.seeds:
            return super().forward(input)
        samples, channels = len(self.seeds), input.shape[1]
        if input.shape[0] % samples:
            raise ShapeError(f"dropout: expected a multiple of {samples} frames, found {input.shape[0]}")
        shape = (input.shape[0] // samples, channels)
        draws = torch.stack([_draw(seed, shape) for seed in self.seeds], dim=1)
        kept = (draws >= self.p).to(input.dtype).div_(1 - self.p)
        return input * kept.view(-1, channels, 1, 1).to(input.device, non_blocking=True)


def seed_dropout(network: nn.Module) -> list[SeededDropout2d]:
    """Put a SeededDropout2d in the place of every Dropout2d inside `network`; return them."""
    seeded = []
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Dropout2d):
                setattr(parent, name, SeededDropout2d(child.p))
                seeded.append(getattr(parent, name))
    return seeded


def _draw(seed: int, shape: tuple[int, int]) -> Tensor:
    """Numbers in [0, 1), on the CPU: the same whatever device the network is on."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))
