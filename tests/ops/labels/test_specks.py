"""What goes and what stays, by construction."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vsodtool.ops.labels.connected import parts
from vsodtool.ops.labels.specks import FEW, SMALL, small_parts, specks

SIZE = (60, 80)


def scene(*sides: int) -> Tensor:
    """A body of 40 x 40 pixels, and squares of these sides apart from it."""
    owned = torch.zeros(SIZE, dtype=torch.bool)
    owned[10:50, 2:42] = True
    for number, side in enumerate(sides):
        row, column = 2 + 12 * (number % 5), 50 + 12 * (number // 5)
        owned[row : row + side, column : column + side] = True
    return owned


UNSURE = torch.zeros(SIZE)
FAINT = torch.full(SIZE, 0.3)


def left(owned: Tensor, sure: Tensor = UNSURE, given: list[list[float]] | None = None, least: int = 0) -> int:
    """How many parts stay."""
    stray = specks(owned, sure, given or [[]], least)
    if stray is None:
        return parts(owned)[1]
    assert bool((stray <= owned).all())
    return parts(owned & ~stray)[1]


def test_small_parts_go_large_ones_stay() -> None:
    assert left(scene(1, 2, 2)) == 1  # 1 and 4 of 1600 pixels
    assert left(scene(1, 8)) == 2  # 64 are a part of their own
    assert left(scene()) == 1
    assert left(torch.zeros(SIZE, dtype=torch.bool)) == 0


def test_what_is_sure_stays() -> None:
    owned = scene(2, 2)
    sure = UNSURE.clone()
    sure[2:4, 50:52] = 0.9
    assert left(owned, sure) == 2


def test_an_object_of_many_parts_keeps_as_many_as_its_masks_have() -> None:
    drawn = scene(2, 2, 1)
    told = small_parts(drawn)
    assert told == pytest.approx([4 / 1609, 4 / 1609, 1 / 1609])
    assert left(drawn, FAINT, given=[told]) == 4
    assert left(drawn, FAINT, given=[[], told]) == 4  # one of the masks is enough
    assert left(drawn, given=[told]) == 1  # nothing at all speaks for them here
    assert left(scene(2, 2, 2, 1, 1), FAINT, given=[told]) == 4  # the fourth and fifth are too many
    assert left(scene(1, 1), FAINT, given=[[4 / 1609]]) == 1  # smaller than half of what is known


def test_least_is_pixels() -> None:
    owned = scene(1, 2, 8)
    assert left(owned, least=1) == 4
    assert left(owned, least=5) == 2
    assert left(owned, least=100) == 1
    assert left(owned, least=10**6) == 1  # the largest stays in any case


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.floats(0.01, 0.6))
def test_whatever_it_is_the_largest_part_stays_and_no_small_one_without_a_reason(
    seed: int, share: float
) -> None:
    owned = torch.rand(SIZE, generator=torch.Generator().manual_seed(seed)) < share
    numbers, count = parts(owned)
    stray = specks(owned, UNSURE, [])
    after = owned if stray is None else owned & ~stray
    areas = torch.bincount(numbers.flatten(), minlength=count + 1)[1:]
    remaining = torch.bincount(parts(after)[0].flatten())[1:]
    assert int(remaining.max()) == int(areas.max())
    bound = max(SMALL * int(areas.sum()), FEW)
    assert int((remaining < bound).sum()) <= 1  # the largest, where all are small
