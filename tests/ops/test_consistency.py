"""Round trips with a known miss."""

from __future__ import annotations

import math

import pytest
import torch

from vsodtool.ops.consistency import round_trip_consistency


def constant(right: float, down: float) -> torch.Tensor:
    return torch.tensor([float(right), float(down)]).view(1, 2, 1, 1).expand(1, 2, 6, 7).clone()


def test_there_and_back_again_is_one() -> None:
    assert torch.equal(round_trip_consistency(constant(2, -1), constant(-2, 1)), torch.ones(1, 1, 6, 7))


@pytest.mark.parametrize(("miss", "sigma"), [((3.0, 4.0), 5.0), ((1.0, 0.0), 1.5), ((0.0, 0.5), 0.5)])
def test_a_miss_costs_a_gaussian_of_its_length(miss: tuple[float, float], sigma: float) -> None:
    found = round_trip_consistency(constant(1, 1), constant(-1 + miss[0], -1 + miss[1]), sigma=sigma)
    expected = math.exp(-(miss[0] ** 2 + miss[1] ** 2) / (2 * sigma**2))
    torch.testing.assert_close(found, torch.full((1, 1, 6, 7), expected))


def test_the_way_back_is_read_where_the_way_there_ends() -> None:
    there = constant(0, 0)
    there[0, 0, 2, 2] = 3
    back = constant(0, 0)
    back[0, 0, 2, 5] = -3
    found = round_trip_consistency(there, back)[0, 0]
    assert found[2, 2] == 1
    assert found[2, 5] < 0.2  # it comes from (2, 2), but its own way there stays where it is
    assert found.sum() > 40


def test_what_leaves_the_image_is_judged_by_the_border() -> None:
    found = round_trip_consistency(constant(100, 0), constant(-100, 0))
    assert torch.equal(found, torch.ones(1, 1, 6, 7))
