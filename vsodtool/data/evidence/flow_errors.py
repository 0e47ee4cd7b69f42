"""Errors that flow could have made, added to recorded evidence: a few videos do not hold many of them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.ops.labels.evidence_maps import GUESS, IMAGE, LEFT, RIGHT
from vsodtool.ops.labels.matching import BALANCED
from vsodtool.ops.labels.propagation import closeness
from vsodtool.ops.labels.rules import label_by_rules
from vsodtool.ops.warp import sample

_PIXELS = (0.5, 6.0)  # how far off flow is
_CELLS = (2, 12)  # of a square that flow errs in differently, along each side
_ALONE = 0.5  # share in which only one of a side's two ways errs
_NOTICED = 0.5  # share in which the consistency falls as it should


def add_flow_errors(maps: Tensor, rng: np.random.Generator) -> Tensor:
    """The maps as they would be, had flow erred on one side or on both.

    Labels and images that were warped here are displaced by a smooth random field together, so that the image
    still tells; the first guess is made anew.

    Args:
        maps: (MAPS, S, S) in [0, 1], see `ops.evidence_maps`.
        rng: source of chance.

    Returns:
        The same shape.
    """
    disturbed = maps.clone()
    which = int(rng.integers(3))
    for number, side in enumerate((LEFT, RIGHT)):
        if which in {number, 2}:
            disturbed[side] = _disturb(maps[side], rng)
    disturbed[GUESS] = guess_again(disturbed)
    return disturbed


def guess_again(maps: Tensor) -> Tensor:
    """The first guess (S, S) of evidence (MAPS, S, S), as `--quality balanced` makes it."""
    ways = [maps[side][start : start + 4] for side in (LEFT, RIGHT) for start in (0, 4)]  # label, then image
    consistency = torch.stack([maps[side][8:9] for side in (LEFT, LEFT, RIGHT, RIGHT)])
    labels, views = torch.stack([way[:1] for way in ways]), torch.stack([way[1:] for way in ways])
    image = maps[None, :IMAGE]
    return label_by_rules(image, labels, views, consistency, search=BALANCED, edges=True).labels[0, 0]


def _disturb(side: Tensor, rng: np.random.Generator) -> Tensor:
    result = side.clone()
    error = _field(side.shape[-1], rng)
    ways = [slice(0, 4), slice(4, 8)]
    if rng.random() < _ALONE:
        ways = [ways[int(rng.integers(2))]]
    for way in ways:
        result[way] = sample(side[None, way], error)[0]
    if rng.random() < _NOTICED:
        result[8:9] *= closeness(error)[0]
    return result


def _field(size: int, rng: np.random.Generator) -> Tensor:
    """A smooth field of displacements (1, 2, size, size) in pixels."""
    cells = int(rng.integers(*_CELLS, endpoint=True))
    far = float(np.exp(rng.uniform(*np.log(_PIXELS))))
    coarse = torch.from_numpy(rng.normal(0, far / 2, (1, 2, cells, cells)).astype(np.float32))
    return functional.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=False)
