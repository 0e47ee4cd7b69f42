"""Which parts of a region hang together, and which with a seed."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.native import components as native_components
from vsodtool.native.library import library

BLOCK = 2  # pixels; parts that are closer than that hang together


def connected_to(seeds: Tensor, inside: Tensor) -> Tensor:
    """The parts of a region that hold a seed, by neighbours of blocks of BLOCK x BLOCK pixels.

    Whole runs of rows and columns are filled in turn, which ends after as many rounds as the way from a seed
    has corners; on CPUs a compiled loop numbers the parts instead.

    Args:
        seeds: bool (H, W); those outside the region do not count.
        inside: the region, bool (H, W).

    Returns:
        bool (H, W), a part of `inside`.
    """
    size = inside.shape
    region, reached = _blocks(inside), _blocks(seeds & inside)
    loops = library()
    if loops is not None and inside.device.type == "cpu":
        numbers, count = native_components.parts(loops, region, corners=False)
        holds = region.new_zeros(count + 1)
        holds[numbers[reached]] = True
        return _pixels(holds[numbers], size) & inside
    runs = [_runs(region), _runs(region.T)]
    count = -1
    while (now := int(reached.sum())) != count:
        count = now
        reached = _fill(reached, runs[0]) & region
        reached = _fill(reached.T, runs[1]).T & region
    return _pixels(reached, size) & inside


def parts(inside: Tensor) -> tuple[Tensor, int]:
    """The connected parts of a region, by all eight neighbours.

    Runs of rows that touch are joined: each takes the lowest number of those that it touches, and then that
    which this one has by now, until nothing changes. All of that is done with runs, of which there are few.
    On CPUs a compiled loop joins them, which finds the same.

    Args:
        inside: the region, bool (H, W).

    Returns:
        The number of each pixel's part, int64 (H, W), 0 outside, 1 ... N in the order of their first pixels;
        and N.
    """
    loops = library()
    if loops is not None and inside.device.type == "cpu":
        return native_components.parts(loops, inside, corners=True)
    numbers = torch.zeros(inside.shape, dtype=torch.int64, device=inside.device)
    # A column of nothing ends each row, so that no run goes on in the next one.
    stride = inside.shape[1] + 1
    wide = functional.pad(inside, (0, 1)).flatten()
    ends = torch.nonzero(wide != functional.pad(wide, (1, 0))[:-1]).view(-1, 2)
    first, last = ends[:, 0].contiguous(), ends[:, 1].contiguous()  # the latter is outside
    count = len(first)
    if not count:
        return numbers, 0
    # Those of the row above that begin before the pixel after a run and end behind the one before it.
    low = torch.searchsorted(last, first - stride)
    touched = torch.searchsorted(first, last - stride, right=True) - low
    one = torch.repeat_interleave(torch.arange(count, device=inside.device), touched)
    rank = torch.arange(len(one), device=inside.device) - (touched.cumsum(0) - touched)[one]
    other = low[one] + rank
    root = torch.arange(count, device=inside.device)
    while True:
        lowest = torch.minimum(root[one], root[other])
        found = root.scatter_reduce(0, root[one], lowest, "amin")
        found = found.scatter_reduce(0, root[other], lowest, "amin")
        found = found[found]
        if torch.equal(found, root):
            break
        root = found
    of_runs = torch.unique(root, return_inverse=True)[1] + 1
    numbers.masked_scatter_(inside, torch.repeat_interleave(of_runs, last - first))
    return numbers, int(of_runs.max())


def _blocks(values: Tensor) -> Tensor:
    """Whether anything in a block is set."""
    height, width = values.shape
    whole = functional.pad(values, (0, width % BLOCK, 0, height % BLOCK))
    along = whole[::BLOCK] | whole[1::BLOCK]
    return along[:, ::BLOCK] | along[:, 1::BLOCK]


def _pixels(blocks: Tensor, size: torch.Size) -> Tensor:
    """Of what blocks the pixels of an image are."""
    return blocks.repeat_interleave(BLOCK, 0).repeat_interleave(BLOCK, 1)[: size[0], : size[1]]


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
