"""Things whose place is known are found there; their shape is that of closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from vsodtool.ops.boxes import Box
from vsodtool.ops.labels.following import box_of, follow, shape_of

RNG = torch.Generator().manual_seed(0)
GROUND = 0.2 + 0.3 * torch.rand(1, 3, 90, 120, generator=RNG)
YELLOW = torch.tensor([0.95, 0.95, 0.1]).view(1, 3, 1)


def painted(rows: torch.Tensor, columns: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The ground with a thing on it, and its label."""
    image, label = GROUND.clone(), torch.zeros(90, 120, dtype=torch.bool)
    image[:, :, rows, columns] = YELLOW
    label[rows, columns] = True
    return image, label


def block(top: int, left: int, height: int = 3, width: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    rows, columns = torch.meshgrid(torch.arange(height) + top, torch.arange(width) + left, indexing="ij")
    return painted(rows.flatten(), columns.flatten())


@pytest.mark.parametrize("side", [1, 2, 3, 6, 20])
@pytest.mark.parametrize("away", [(0, 0), (5, -7), (-10, 3)])
def test_a_thing_beside_its_straight_way(side: int, away: tuple[int, int]) -> None:
    before, first = block(30, 20, side, side)
    after, last = block(34, 60, side, side)
    here, truth = block(32 + away[0], 40 + away[1], side, side)
    found = follow(here, (before, after), (shape_of(first), shape_of(last)), 0.5)
    assert found is not None
    label = torch.zeros_like(truth)
    label[found.rows, found.columns] = True
    assert torch.equal(label, truth)
    assert found.difference == pytest.approx(0, abs=1e-6)
    assert found.contrast > 0.1
    top, left = 32 + away[0], 40 + away[1]
    assert box_of(found) == Box(top, left, top + side, left + side)


def line(angle: float) -> tuple[torch.Tensor, torch.Tensor]:
    along = torch.arange(-30, 30.5, 0.5)
    rows, columns = (45 + math.sin(angle) * along).round(), (60 + math.cos(angle) * along).round()
    return painted(rows.long(), columns.long())


def test_a_line_that_turns() -> None:
    (before, first), (here, truth), (after, last) = line(0.1), line(0.45), line(0.8)
    found = follow(here, (before, after), (shape_of(first), shape_of(last)), 0.5)
    assert found is not None
    distance = (found.rows[:, None] - truth.nonzero()[:, 0]) ** 2 + (
        found.columns[:, None] - truth.nonzero()[:, 1]
    ) ** 2
    assert float(distance.min(dim=1).values.float().sqrt().max()) < 1.5


def test_one_that_is_not_there_looks_otherwise() -> None:
    before, first = block(30, 20)
    after, last = block(30, 60)
    found = follow(GROUND, (before, after), (shape_of(first), shape_of(last)), 0.5)
    assert found is not None
    assert found.difference > 0.2


@pytest.mark.parametrize("angle", [0.0, 0.3, 1.2, math.pi / 2, 2.5])
def test_direction_of_a_line(angle: float) -> None:
    _, label = line(angle)
    shape = shape_of(label)
    assert (shape.row, shape.column) == pytest.approx((45, 60), abs=0.3)
    assert shape.angle is not None
    turn = (shape.angle - angle) % math.pi
    assert min(turn, math.pi - turn) < 0.03


def test_what_is_round_has_no_direction() -> None:
    for side in (1, 2, 5):
        assert shape_of(block(10, 10, side, side)[1]).angle is None


def test_partly_outside_the_image() -> None:
    before, first = block(30, 100)
    after, last = block(30, 117)
    here, _ = block(30, 118, 3, 2)
    found = follow(here, (before, after), (shape_of(first), shape_of(last)), 0.9)
    assert found is not None
    assert int(found.columns.max()) <= 119
