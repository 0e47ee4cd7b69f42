"""Against scipy's labelling of connected parts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from tests.native.compiled import compiled
from vsodtool.ops.labels import connected
from vsodtool.ops.labels.connected import BLOCK, connected_to, parts


@pytest.fixture(params=["compiled", "torch"], scope="module", autouse=True)
def way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Both ways have to find all of this."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "torch":
            patch.setattr(connected, "library", lambda: None)
        else:
            compiled()
        yield


def parts_with_seed(seeds: np.ndarray, inside: np.ndarray) -> np.ndarray:
    labels, _ = ndimage.label(inside)  # four neighbours
    hit = np.unique(labels[seeds & inside])
    return np.isin(labels, hit[hit > 0])


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 12), st.integers(1, 12), st.floats(0.2, 0.9), st.integers(0, 1000))
def test_of_whole_blocks_it_is_scipys(height: int, width: int, share: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    inside = random.random((height, width)) < share
    seeds = random.random((height, width)) < 0.1
    expected = parts_with_seed(seeds, inside)
    large = [np.kron(part, np.ones((BLOCK, BLOCK), bool)) for part in (seeds, inside, expected)]
    found = connected_to(torch.from_numpy(large[0]), torch.from_numpy(large[1]))
    np.testing.assert_array_equal(found.numpy(), large[2])


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 25), st.integers(1, 25), st.integers(0, 1000))
def test_no_part_with_a_seed_is_lost_and_nothing_is_added(height: int, width: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    inside, seeds = random.random((height, width)) < 0.5, random.random((height, width)) < 0.1
    found = connected_to(torch.from_numpy(seeds), torch.from_numpy(inside)).numpy()
    assert (found <= inside).all()
    assert (parts_with_seed(seeds, inside) <= found).all()


def test_a_spiral_is_followed_to_its_end() -> None:
    inside = np.zeros((41, 41), bool)
    low, high = 0, 40
    while high > low:  # walls of 2 with gaps of 2 between
        inside[low, low : high + 1] = inside[low : high + 1, high] = inside[high, low : high + 1] = True
        inside[low + 4 : high + 1, low] = True
        inside[low + 4, low : low + 5] = True
        low, high = low + 4, high - 4
    seeds = np.zeros_like(inside)
    seeds[0, 0] = True
    expected = parts_with_seed(seeds, inside)
    found = connected_to(torch.from_numpy(seeds), torch.from_numpy(inside)).numpy()
    np.testing.assert_array_equal(found, expected)


def test_a_part_without_a_seed_goes() -> None:
    inside = torch.zeros(20, 30, dtype=torch.bool)
    inside[2:8, 2:8] = inside[12:18, 20:28] = True
    seeds = torch.zeros_like(inside)
    seeds[5, 5] = True
    expected = inside.clone()
    expected[12:] = False
    assert torch.equal(connected_to(seeds, inside), expected)
    assert not connected_to(torch.zeros_like(inside), inside).any()


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 30), st.integers(1, 30), st.floats(0, 1), st.integers(0, 1000))
def test_parts_are_scipys(height: int, width: int, share: float, seed: int) -> None:
    inside = np.random.default_rng(seed).random((height, width)) < share
    expected, count = ndimage.label(inside, np.ones((3, 3)))  # numbered by their first pixels, too
    found, number = parts(torch.from_numpy(inside))
    assert number == count
    np.testing.assert_array_equal(found.numpy(), expected)


def test_the_parts_of_a_comb_are_one() -> None:
    comb = torch.zeros(60, 99, dtype=torch.bool)
    comb[:, ::2] = True  # teeth that meet in the last row only
    comb[-1] = True
    assert parts(comb)[1] == 1
    assert parts(comb[:-1])[1] == 50
    assert parts(torch.zeros(3, 4, dtype=torch.bool))[1] == 0


def test_views_are_read_as_what_they_show() -> None:
    wide = torch.rand(20, 60) > 0.5
    region, seeds = wide[:, 1::2], wide.roll(3, 0)[:, 1::2]
    for shown in (region, region.T):
        assert torch.equal(parts(shown)[0], parts(shown.clone())[0])
        beside = seeds.reshape(shown.shape)
        assert torch.equal(connected_to(beside, shown), connected_to(beside.clone(), shown.clone()))
