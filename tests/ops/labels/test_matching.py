"""The search for owners: what it must and must not touch, whatever its constants."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vsodtool.ops.labels.matching import Search, match_owners

SEARCH = Search(radius=3, step=1)


def scene() -> tuple[torch.Tensor, torch.Tensor]:
    """A bright object on a dark ground, and its label."""
    labels = torch.zeros(1, 1, 20, 24)
    labels[..., 6:14, 8:18] = 1
    texture = torch.rand(1, 3, 20, 24, generator=torch.Generator().manual_seed(0)) * 0.1
    return texture + 0.7 * labels, labels


def test_what_is_settled_stays() -> None:
    image, labels = scene()
    assert torch.equal(match_owners(labels, image, image, labels, search=SEARCH), labels)


def test_doubt_is_settled_by_the_looks() -> None:
    image, truth = scene()
    doubtful = truth.clone()
    doubtful[..., 9:16, 14:21] = 0.5  # a corner of the object and ground beside it
    before = doubtful.clone()
    found = match_owners(doubtful, image, image, truth, search=SEARCH)
    assert torch.equal(found > 0.5, truth > 0.5)
    assert torch.equal(doubtful, before)
    settled = doubtful != 0.5
    assert torch.equal(found[settled], doubtful[settled])


def test_a_label_that_slipped_is_drawn_back() -> None:
    """Warped labels beside their place: the right match lies within the search."""
    image, truth = scene()
    slipped, view = truth.roll(2, -1), image.roll(2, -1)
    doubtful = (truth + slipped) / 2
    found = match_owners(doubtful, image, view, slipped, search=SEARCH)
    assert torch.equal(found > 0.5, truth > 0.5)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**31), st.integers(1, 3), st.integers(1, 3))
def test_probabilities_stay_probabilities(seed: int, objects: int, sources: int) -> None:
    random = torch.Generator().manual_seed(seed)
    labels = torch.rand(1, objects, 9, 11, generator=random) / objects
    image = torch.rand(1, 3, 9, 11, generator=random)
    warped = torch.rand(sources, 3, 9, 11, generator=random)
    owners = torch.rand(sources, objects, 9, 11, generator=random) / objects
    found = match_owners(labels, image, warped, owners, search=SEARCH)
    assert found.shape == labels.shape
    assert float(found.min()) >= 0
    assert float(found.sum(dim=1).max()) <= 1 + 1e-5


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 40)])
def test_images_smaller_than_the_window(size: tuple[int, int]) -> None:
    half = torch.full((1, 1, *size), 0.5)
    image = torch.rand(1, 3, *size)
    found = match_owners(half, image, image, torch.ones(1, 1, *size), search=Search())
    assert float(found.min()) > 0.5
