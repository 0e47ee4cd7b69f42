"""Which parts of a region hang together, and which with a seed."""

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


def parts(inside: Tensor) -> tuple[Tensor, int]:
    """The connected parts of a region, by all eight neighbours.

    Runs of rows that touch are joined: each takes the lowest number of those that it touches, and then that
    which this one has by now, until nothing changes.

    Args:
        inside: the region, bool (H, W).

    Returns:
        The number of each pixel's part, int64 (H, W), 0 outside, 1 ... N in the order of their first pixels;
        and N.
    """
    height, width = inside.shape
    wide = functional.pad(inside, (1, 1))
    run = (inside & ~wide[:, :-2]).flatten().cumsum(0).view(height, width) - 1
    count = int(run[-1, -1]) + 1 if inside.numel() else 0
    if not count:
        return torch.zeros_like(run), 0
    above = functional.pad(run[:-1], (1, 1))
    joined = []
    for shift in range(3):  # above to the left, above, above to the right
        both = inside[1:] & wide[:-1, shift : shift + width]
        first = both & ~functional.pad(both, (1, 0))[:, :-1]  # once for each two runs is enough
        joined.append(torch.stack((run[1:][first], above[:, shift : shift + width][first])))
    one, other = torch.cat(joined, dim=1)
    root = torch.arange(count, device=inside.device)
    while True:
        lowest = torch.minimum(root[one], root[other])
        found = root.scatter_reduce(0, root[one], lowest, "amin")
        found = found.scatter_reduce(0, root[other], lowest, "amin")
        found = found[found]
        if torch.equal(found, root):
            break
        root = found
    numbers = torch.unique(root, return_inverse=True)[1] + 1
    return torch.where(inside, numbers[run.clamp_min(0)], 0), int(numbers.max())


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
