"""Lines, and the gaps in them."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vsodtool.ops.labels.connected import parts
from vsodtool.ops.labels.thin import bridges, thin, thin_share

SIZE = (30, 50)


def body() -> Tensor:
    mask = torch.zeros(SIZE, dtype=torch.bool)
    mask[10:20, 5:15] = True
    return mask


def broken(*gaps: range) -> Tensor:
    """A body with a line of one pixel to the right, and gaps in it."""
    mask = body()
    mask[15, 15:45] = True
    for gap in gaps:
        mask[15, gap.start : gap.stop] = False
    return mask


def test_what_is_thin() -> None:
    assert torch.equal(thin(broken()), broken() & ~body())
    assert thin_share(broken()) == pytest.approx(30 / 130)
    two = body()
    two[14:16, 15:45] = True
    assert torch.equal(thin(two), two & ~body())
    three = body()
    three[14:17, 15:45] = True
    assert thin_share(three) == 0
    assert thin_share(torch.zeros(SIZE, dtype=torch.bool)) == 0
    assert bool(thin(torch.ones(1, 2, dtype=torch.bool)).all())  # smaller than a square
    assert not bool(thin(torch.ones(3, 3, dtype=torch.bool)).any())


def test_gaps_are_closed_the_small_ones_first_as_far_as_it_goes() -> None:
    owned, whole = broken(range(20, 23), range(30, 31), range(40, 45)), broken()
    missing = whole & ~owned
    first = broken(range(20, 23), range(40, 45)) & ~owned
    end = torch.zeros(SIZE, dtype=torch.bool)
    end[15, 40:45] = True  # leads nowhere
    found = bridges(owned, missing, 30)
    assert found is not None
    assert torch.equal(found, missing & ~end)
    found = bridges(owned, missing, 23)  # 21 there, so two more at most
    assert found is not None
    assert torch.equal(found, first)
    assert bridges(owned, missing, 21) is None
    assert bridges(owned, torch.zeros_like(owned), 30) is None
    assert bridges(torch.zeros_like(owned), missing, 30) is None


def test_what_is_wide_is_no_bridge() -> None:
    owned, possible = broken(range(20, 26)), torch.zeros(SIZE, dtype=torch.bool)
    possible[10:21, 20:26] = True
    assert bridges(owned, possible, 100) is None


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.floats(0.05, 0.6), st.integers(0, 200))
def test_bridges_lie_in_what_is_possible_and_join(seed: int, share: float, most: int) -> None:
    noise = torch.rand(SIZE, generator=torch.Generator().manual_seed(seed))
    owned, possible = noise < share, (noise >= share) & (noise < share + 0.2)
    found = bridges(owned, possible, most)
    if found is None:
        return
    assert bool((found <= possible).all())
    assert int(thin(owned).sum()) + int(found.sum()) <= most
    assert parts(owned | found)[1] < parts(owned)[1]
