"""The guided filter against scipy's box filter, and what it must do to a border."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import uniform_filter

from tests.native.compiled import compiled
from vsodtool.ops.labels import edges
from vsodtool.ops.labels.edges import LUMA, RADIUS, SHARE, SMOOTHNESS, align_to_edges, box_mean


@pytest.mark.parametrize("radius", [1, 2])
@pytest.mark.parametrize("size", [(9, 14), (1, 1), (3, 2)])
def test_box_mean_is_scipys(radius: int, size: tuple[int, int]) -> None:
    values = np.random.default_rng(0).random((1, 2, *size))
    expected = uniform_filter(values, (0, 0, 2 * radius + 1, 2 * radius + 1), mode="nearest")
    np.testing.assert_allclose(box_mean(torch.from_numpy(values), radius).numpy(), expected, atol=1e-12)


def test_is_the_guided_filter_of_the_paper() -> None:
    """He et al. 2010, eq. 5, 6 and 8, written with scipy's uniform_filter."""
    random = np.random.default_rng(1)
    image = random.random((1, 3, 20, 24))
    labels = random.random((1, 1, 20, 24)) / 2  # nothing above 1/2: nothing thin to be kept

    def mean(values: np.ndarray) -> np.ndarray:
        return uniform_filter(values, 2 * RADIUS + 1, mode="nearest")

    guide, label = np.tensordot(LUMA, image[0], 1), labels[0, 0]
    slope = (mean(guide * label) - mean(guide) * mean(label)) / (
        mean(guide * guide) - mean(guide) ** 2 + SMOOTHNESS
    )
    filtered = mean(slope) * guide + mean(mean(label) - slope * mean(guide))
    expected = np.clip((1 - SHARE) * label + SHARE * filtered, 0, 1)
    found = align_to_edges(torch.from_numpy(labels), torch.from_numpy(image))[0, 0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_a_border_one_pixel_off_moves_to_the_edge() -> None:
    image = torch.zeros(1, 3, 16, 16)
    image[..., 8:] = 1
    labels = torch.zeros(1, 1, 16, 16)
    labels[..., 8:] = 0.9
    labels[..., 7] = 0.55  # one column too far, and not sure of it
    found = align_to_edges(labels, image)
    assert bool((found[..., 7] < 0.5).all())
    assert bool((found[..., 8:] > 0.5).all())


def test_does_not_change_its_arguments() -> None:
    image, labels = torch.rand(1, 3, 8, 8), torch.rand(1, 2, 8, 8)
    before = image.clone(), labels.clone()
    align_to_edges(labels, image)
    assert torch.equal(image, before[0])
    assert torch.equal(labels, before[1])


@pytest.mark.parametrize("colour", [0.5, 0.51, 1.0])
@pytest.mark.parametrize("thing", ["ball", "line", "diagonal"])
def test_what_is_thinner_than_the_window_is_not_erased(thing: str, colour: float) -> None:
    labels = torch.zeros(1, 1, 24, 24)
    if thing == "ball":
        labels[..., 10:12, 13:15] = 0.8
    elif thing == "line":
        labels[..., 9, 3:20] = 0.8
    else:
        labels[0, 0].fill_diagonal_(0.8)
    image = torch.where(labels > 0, colour, 0.5).expand(1, 3, -1, -1)
    found = align_to_edges(labels, image)
    assert torch.equal(found > 0.5, labels > 0.5)


def test_ragged_borders_of_a_large_thing_are_filtered() -> None:
    labels = torch.zeros(1, 2, 24, 24)
    labels[:, 0, 8:20, 8:20] = 1
    labels[:, 0, 1:8, 12] = 1
    labels[:, 1, 2, 2:20] = 1  # another object, a line
    found = align_to_edges(labels, torch.full((1, 3, 24, 24), 0.5))
    assert not bool((found[:, 0, :5] > 0.5).any())
    assert bool((found[:, 1, 2, 2:20] > 0.5).all())


@settings(deadline=None, max_examples=40)
@given(st.tuples(st.integers(1, 12), st.integers(1, 40)), st.integers(1, 3), st.integers(0, 2**31))
def test_the_compiled_loops_find_the_same_to_the_last_bit(
    size: tuple[int, int], objects: int, seed: int
) -> None:
    compiled()
    random = torch.Generator().manual_seed(seed)
    image = torch.rand(1, 3, size[0] + 2, size[1] + 3, generator=random)[..., 1:-1, 2:-1]
    labels = torch.rand(1, objects, *size, generator=random) / objects
    found = align_to_edges(labels, image)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(edges, "library", lambda: None)
        assert torch.equal(found, align_to_edges(labels, image))
