"""The order of the channels that a learned densifier takes."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from vsodtool.ops.labels.evidence_maps import (
    COLOURS,
    GUESS,
    IMAGE,
    LEFT,
    MAPS,
    RIGHT,
    claimed,
    evidence_maps,
    swap_sides,
)

SIZE = 3, 4
Side = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def flat(value: float, rows: int, channels: int) -> torch.Tensor:
    return torch.full((rows, channels, *SIZE), value)


def side(value: float) -> Side:
    """Carried and refined label, the images that belong to them, the consistency: five values."""
    labels = torch.cat((flat(value, 1, 1), flat(value + 0.02, 1, 1)))
    views = torch.cat((flat(value + 0.01, 1, 3), flat(value + 0.03, 1, 3)))
    return labels, views, flat(value + 0.04, 1, 1)


def maps() -> torch.Tensor:
    return evidence_maps(flat(0.9, 1, IMAGE), [side(0.1), side(0.2)], flat(0.5, 1, 1))


def test_each_channel_has_its_place() -> None:
    one = [0.0, 0.01, 0.01, 0.01, 0.02, 0.03, 0.03, 0.03, 0.04]
    expected = [0.9] * 3 + [0.1 + part for part in one] + [0.2 + part for part in one] + [0.5]
    found = maps()
    assert found.shape == (1, MAPS, *SIZE)
    torch.testing.assert_close(found[0, :, 0, 0], torch.tensor(expected))
    torch.testing.assert_close(found[0, LEFT, 0, 0], torch.tensor(expected[3:12]))
    torch.testing.assert_close(found[0, RIGHT, 0, 0], torch.tensor(expected[12:21]))
    torch.testing.assert_close(found[0, GUESS, 0, 0], torch.tensor(0.5))
    images = [found[0, first : first + 3, 0, 0] for first in COLOURS]
    assert all(bool((image == image[0]).all()) for image in images)


@pytest.mark.parametrize("size", [SIZE, (3, 8), (8, 4), (8, 8)])
def test_enlarged_they_are_what_they_are_with_their_border_repeated(size: tuple[int, int]) -> None:
    image, guess = torch.rand(1, IMAGE, *SIZE), torch.rand(1, 1, *SIZE)
    sides = [(torch.rand(2, 1, *SIZE), torch.rand(2, 3, *SIZE), torch.rand(1, 1, *SIZE)) for _ in range(2)]
    expected = functional.pad(
        evidence_maps(image, sides, guess), (0, size[1] - SIZE[1], 0, size[0] - SIZE[0]), mode="replicate"
    )
    assert torch.equal(evidence_maps(image, sides, guess, size=size), expected)


def test_claimed_is_the_largest_of_labels_and_guess() -> None:
    found = maps()
    assert float(claimed(found).max()) == 0.5
    found[:, GUESS] = 0
    torch.testing.assert_close(claimed(found), flat(0.22, 1, 1))


def test_sides_are_swapped() -> None:
    there = evidence_maps(flat(0.9, 1, IMAGE), [side(0.2), side(0.1)], flat(0.5, 1, 1))
    assert torch.equal(swap_sides(maps()), there)
