"""The search for owners: what it must and must not touch, whatever its constants."""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.native.compiled import compiled
from vsodtool.ops.boxes import Box, whole
from vsodtool.ops.labels import matching
from vsodtool.ops.labels.matching import (
    BALANCED,
    DISTANCE_COST,
    WORST,
    WRONG_OWNER_COST,
    Search,
    _compiled_costs,
    _owner_costs,
    match_owners,
)

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


def test_objects_far_apart_are_searched_apart_and_come_out_as_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random = torch.Generator().manual_seed(0)
    truth = torch.zeros(1, 2, 40, 90)
    truth[0, 0, 4:14, 4:18], truth[0, 1, 24:36, 64:80] = 1, 1
    image = torch.rand(1, 3, 40, 90, generator=random) * 0.2 + 0.6 * truth.sum(dim=1, keepdim=True)
    carried = truth.roll(2, -1)
    doubtful, searched = (truth + carried) / 2, list[int]()

    def counted(*parts: torch.Tensor, search: Search = SEARCH) -> torch.Tensor:
        searched.append(parts[0].shape[-2] * parts[0].shape[-1])
        return _owner_costs(*parts[:3], search)

    monkeypatch.setattr(matching, "library", lambda: None)
    monkeypatch.setattr(matching, "_owner_costs", lambda *parts: counted(*parts[:3], search=parts[3]))
    apart = match_owners(doubtful, image, image.roll(2, -1), carried, search=SEARCH)
    assert len(searched) == 2
    monkeypatch.setattr(matching, "_doubtful", lambda labels, _: [whole(tuple(labels.shape[-2:]))])
    together = match_owners(doubtful, image, image.roll(2, -1), carried, search=SEARCH)
    assert sum(searched[:2]) < searched[2]
    torch.testing.assert_close(apart, together)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**31), st.integers(1, 4), st.integers(1, 2))
def test_the_cost_of_an_owner_is_that_of_its_best_match_anywhere(
    seed: int, objects: int, sources: int
) -> None:
    """By definition, place by place and owner by owner, of boxes that leave much of the image free."""
    random = torch.Generator().manual_seed(seed)
    height, width = 9, 11
    image = torch.rand(1, 3, height, width, generator=random)
    warped = torch.rand(sources, 3, height, width, generator=random) * 0.2 + 0.8 * image
    labels = torch.zeros(sources, objects, height, width)
    for number in range(objects):
        top, left = torch.randint(0, 8, (2,), generator=random).tolist()
        labels[:, number, top : top + 3, left : left + 4] = torch.rand(1, generator=random)
    labels /= labels.sum(dim=1, keepdim=True).clamp_min(1)
    shares = torch.cat((1 - labels.sum(dim=1, keepdim=True), labels), dim=1)

    def at(maps: torch.Tensor, row: int, column: int) -> torch.Tensor:
        return maps[..., min(max(row, 0), height - 1), min(max(column, 0), width - 1)]

    expected = torch.full((1, objects + 1, height, width), WORST)
    for row, column in product(range(height), range(width)):
        for down, right in SEARCH.places():
            away = math.hypot(down, right) * DISTANCE_COST
            patch = sum(
                (at(warped, row + down + y, column + right + x) - at(image, row + y, column + x))
                .abs()
                .amax(dim=1)
                for y, x in product((-1, 0, 1), repeat=2)
            )
            blame = WRONG_OWNER_COST * (1 - at(shares, row + down, column + right))
            cost = (patch[:, None] / 9 + blame + away).amin(dim=0)  # type: ignore[index]
            expected[0, :, row, column] = torch.minimum(expected[0, :, row, column], cost)
    found = _owner_costs(image, warped, labels, SEARCH)
    torch.testing.assert_close(found, expected, atol=1 / 2040, rtol=0)


def by_torch(
    labels: torch.Tensor, image: torch.Tensor, warped: torch.Tensor, owners: torch.Tensor, search: Search
) -> torch.Tensor:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "library", lambda: None)
        return match_owners(labels, image, warped, owners, search=search)


@settings(deadline=None, max_examples=40)
@given(
    st.tuples(st.integers(1, 40), st.integers(1, 150)),
    st.integers(1, 3),
    st.integers(1, 4),
    st.sampled_from([SEARCH, BALANCED, Search(), Search(radius=5, step=2)]),
    st.integers(0, 2**31),
)
def test_the_compiled_loops_find_the_same_costs_to_the_last_bit(
    size: tuple[int, int], objects: int, sources: int, search: Search, seed: int
) -> None:
    loops, random = compiled(), torch.Generator().manual_seed(seed)
    image = torch.rand(1, 3, *size, generator=random)
    warped = torch.rand(sources, 3, *size, generator=random) * 0.2 + 0.8 * image
    labels = torch.zeros(sources, objects, *size)
    for number in range(objects):
        top, left = (int(torch.randint(0, side, (1,), generator=random)) for side in size)
        labels[:, number, top : top + 12, left : left + 25] = torch.rand(1, generator=random) * 1.2 - 0.1
    labels = labels.clamp(0, 1)
    labels /= labels.sum(dim=1, keepdim=True).clamp_min(1)
    ends = [sorted(torch.randint(0, side + 1, (2,), generator=random).tolist()) for side in size]
    box = Box(ends[0][0], ends[1][0], max(ends[0]) + (ends[0][0] == ends[0][1]), max(ends[1]) + 1)
    box = box.within(whole(size)) if box.meets(whole(size)) else whole(size)
    wanted = torch.rand(box.size, generator=random) > 0.9
    expected = box.crop(_owner_costs(image, warped, labels, search))
    found = _compiled_costs(loops, (image, warped, labels), search, box, wanted)
    assert found.shape == expected.shape
    assert torch.equal(found[..., wanted], expected[..., wanted])
    doubtful = labels.mean(dim=0, keepdim=True)
    torch.testing.assert_close(
        match_owners(doubtful, image, warped, labels, search=search),
        by_torch(doubtful, image, warped, labels, search),
        rtol=0,
        atol=1e-6,
    )


def test_views_are_searched_as_what_they_show() -> None:
    image, warped = torch.rand(1, 20, 30, 3), torch.rand(2, 24, 34, 3)
    labels = torch.rand(2, 20, 30, 1).permute(0, 3, 1, 2)
    seen = (image.permute(0, 3, 1, 2), warped.permute(0, 3, 1, 2)[..., 2:22, 3:33], labels)
    doubtful = labels.mean(dim=0, keepdim=True)
    found = match_owners(doubtful, *seen, search=SEARCH)
    packed = match_owners(doubtful, *(each.contiguous() for each in seen), search=SEARCH)
    assert torch.equal(found, packed)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 40)])
def test_images_smaller_than_the_window(size: tuple[int, int]) -> None:
    half = torch.full((1, 1, *size), 0.5)
    image = torch.rand(1, 3, *size)
    found = match_owners(half, image, image, torch.ones(1, 1, *size), search=Search())
    assert float(found.min()) > 0.5
