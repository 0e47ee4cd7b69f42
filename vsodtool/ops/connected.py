"""Which parts of a region hang together with a seed."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

BLOCK = 2  # pixels; parts that are closer than that hang together


def connected_to(seeds: Tensor, inside: Tensor) -> Tensor:
    """The parts of a region that hold a seed, by neighbours of blocks of BLOCK x BLOCK pixels.

    Whole runs of rows and columns are filled in turn, which ends after as many rounds as the way from a seed
    has corners.

    Args:
        seeds: bool (H, W); those outside the region do not count.
        inside: the region, bool (H, W).

    Returns:
        bool (H, W), a part of `inside`.
    """
    size = inside.shape
    region, reached = _blocks(inside), _blocks(seeds & inside)
    runs = [_runs(region), _runs(region.T)]
    count = -1
    while (now := int(reached.sum())) != count:
        count = now
        reached = _fill(reached, runs[0]) & region
        reached = _fill(reached.T, runs[1]).T & region
    large = reached.repeat_interleave(BLOCK, 0).repeat_interleave(BLOCK, 1)
    return large[: size[0], : size[1]] & inside


def _blocks(values: Tensor) -> Tensor:
    """Whether anything in a block is set."""
    pooled: Tensor = functional.max_pool2d(values[None].float(), BLOCK, ceil_mode=True)
    return pooled[0] > 0


def _runs(region: Tensor) -> Tensor:
    """A number for each run of a row, the same for all its pixels; (H, W)."""
    height, width = region.shape
    first = torch.arange(height, device=region.device)[:, None] * (width + 1)
    return first + (~region).cumsum(1)


def _fill(reached: Tensor, runs: Tensor) -> Tensor:
    """All runs of which a pixel was reached; what lies between runs may be filled too."""
    hit = reached.new_zeros(runs.shape[0] * (runs.shape[1] + 1))
    hit[runs[reached]] = True
    return hit[runs]
