"""Carrying labels over translations, where the truth is a shift."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vsodtool.ops.boxes import Box, whole
from vsodtool.ops.labels.propagation import Carried, carry, closeness, start

SIZE = (20, 24)


def shift(right: float, down: float, size: tuple[int, int] = SIZE) -> torch.Tensor:
    return torch.tensor([float(right), float(down)]).view(1, 2, 1, 1).expand(1, 2, *size).clone()


def square(top: int, left: int) -> torch.Tensor:
    labels = torch.zeros(1, 2, *SIZE)
    labels[0, 0, top : top + 4, left : left + 5] = 1
    labels[0, 1, top + 4 : top + 6, left : left + 5] = 1
    return labels


def test_a_frame_says_its_own_label_about_itself() -> None:
    box = Box(2, 3, 15, 20)
    begun = start(square(5, 6), box)
    assert torch.equal(begun.labels, box.crop(square(5, 6)))
    assert torch.equal(begun.consistency, torch.ones(1, 1, 13, 17))
    assert torch.equal(begun.flow, torch.zeros(1, 2, 13, 17))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 1), st.integers(-1, 1)), min_size=1, max_size=5))
def test_whole_pixel_motion_carries_exactly(steps: list[tuple[int, int]]) -> None:
    box = whole(SIZE)
    carried = start(square(7, 9), box)
    right = down = 0
    for dx, dy in steps:  # the object moves by (dx, dy) from the nearer frame to the further one
        carried = carry(carried, shift(-dx, -dy), shift(dx, dy), box)
        right, down = right + dx, down + dy
    torch.testing.assert_close(carried.labels, square(7 + down, 9 + right), atol=1e-5, rtol=0)
    torch.testing.assert_close(carried.consistency, torch.ones(1, 1, *SIZE))
    torch.testing.assert_close(carried.flow, shift(-right, -down))


def test_doubt_multiplies_on_the_way() -> None:
    box = whole(SIZE)
    there, back = shift(0, 0), shift(1, 0)  # one pixel of disagreement at every step
    once = carry(start(square(7, 9), box), there, back, box)
    twice = carry(once, there, back, box)
    assert 0 < float(once.consistency.max()) < 1
    torch.testing.assert_close(twice.consistency, once.consistency**2)


def test_on_another_box_there_is_no_label_and_the_motion_of_the_border() -> None:
    old, new = Box(4, 4, 8, 8), Box(2, 6, 10, 12)
    known = Carried(old, torch.ones(1, 1, 4, 4), torch.full((1, 1, 4, 4), 0.5), shift(3, -2, (4, 4)))
    moved = known.on(new)
    inside = torch.zeros(1, 1, 8, 6)
    inside[..., 2:6, :2] = 1
    assert moved.box == new
    assert torch.equal(moved.labels, inside)
    assert torch.equal(moved.consistency, 1 - inside / 2)
    assert torch.equal(moved.flow, shift(3, -2, (8, 6)))
    assert known.on(old) is known


def test_carrying_on_a_box_is_carrying_everywhere() -> None:
    """A box that holds all that moves gives what the whole image gives."""
    box = Box(3, 4, 17, 21)
    everywhere, inside = start(square(7, 9), whole(SIZE)), start(square(7, 9), box)
    for _ in range(2):
        there, back = shift(-1, 0.5), shift(1, -0.5)
        everywhere = carry(everywhere, there, back, whole(SIZE))
        inside = carry(inside, box.crop(there), box.crop(back), box)
    torch.testing.assert_close(inside.labels, box.crop(everywhere.labels), atol=1e-5, rtol=0)
    torch.testing.assert_close(inside.flow, box.crop(everywhere.flow))


@pytest.mark.parametrize(("miss", "sigma"), [((3.0, 4.0), 5.0), ((1.0, 0.0), 1.5), ((0.0, 0.0), 0.5)])
def test_a_miss_costs_a_gaussian_of_its_length(miss: tuple[float, float], sigma: float) -> None:
    expected = math.exp(-(miss[0] ** 2 + miss[1] ** 2) / (2 * sigma**2))
    torch.testing.assert_close(closeness(shift(*miss), sigma=sigma), torch.full((1, 1, *SIZE), expected))


def test_the_way_back_is_read_where_the_way_there_ends() -> None:
    there, back = shift(0, 0), shift(0, 0)
    there[0, 0, 2, 2], back[0, 0, 2, 5] = 3, -3
    found = carry(start(square(5, 6), whole(SIZE)), there, back, whole(SIZE)).consistency[0, 0]
    assert found[2, 2] == 1
    assert found[2, 5] < 0.2  # it comes from (2, 2), but its own way there stays where it is
    assert found.sum() > SIZE[0] * SIZE[1] - 2


def test_what_is_carried_keeps_nothing_else_in_memory() -> None:
    still = shift(0, 0)
    carried = carry(start(square(5, 6), whole(SIZE)), still, still, whole(SIZE))
    for values in (carried.labels, carried.consistency, carried.flow):
        assert values.untyped_storage().nbytes() == values.nbytes


def test_what_leaves_the_image_is_judged_by_the_border() -> None:
    gone = carry(start(square(5, 6), whole(SIZE)), shift(100, 0), shift(-100, 0), whole(SIZE))
    assert torch.equal(gone.consistency, torch.ones(1, 1, *SIZE))
