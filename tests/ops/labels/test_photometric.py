"""Smoothing against scipy; errors in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from tests.native.compiled import compiled
from vsodtool.ops.labels import photometric
from vsodtool.ops.labels.photometric import gaussian_blur, photometric_error


@pytest.mark.parametrize("sigma", [0.6, 1.0, 2.3])
@pytest.mark.parametrize("size", [(17, 23), (1, 9), (3, 2)])
def test_smoothing_is_scipys(sigma: float, size: tuple[int, int]) -> None:
    values = np.random.default_rng(7).standard_normal((2, 3, *size))
    before = values.copy()
    found = gaussian_blur(torch.from_numpy(values), sigma).numpy()
    radius = math.ceil(2 * sigma)
    expected = gaussian_filter(values, (0, 0, sigma, sigma), mode="nearest", radius=(0, 0, radius, radius))
    np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_array_equal(values, before)


def test_no_smoothing_is_the_same() -> None:
    values = torch.rand(1, 1, 4, 4)
    assert gaussian_blur(values, 0) is values


def test_the_error_is_the_worst_channel() -> None:
    image = torch.full((1, 3, 9, 9), 0.5)
    warped = torch.tensor([0.5, 0.25, 0.6]).view(1, 3, 1, 1).expand(1, 3, 9, 9)
    torch.testing.assert_close(photometric_error(image, warped), torch.full((1, 1, 9, 9), 0.25))


def test_an_equal_image_has_no_error_and_a_spot_keeps_its_mass() -> None:
    image = torch.rand(1, 3, 15, 15)
    assert float(photometric_error(image, image.clone()).max()) == 0
    other = image.clone()
    other[0, :, 7, 7] = (image[0, :, 7, 7] + 0.5) % 1
    spot = float((image - other).abs().amax(dim=1).sum())
    assert float(photometric_error(image, other).sum()) == pytest.approx(spot, rel=1e-5)
    assert float(photometric_error(image, other, blur=0)[0, 0, 7, 7]) == pytest.approx(spot)


@settings(deadline=None, max_examples=40)
@given(
    st.tuples(st.integers(1, 12), st.integers(1, 40)),
    st.integers(1, 3),
    st.booleans(),
    st.sampled_from([0.5, 1.0, 2.0, 3.3]),
    st.integers(0, 2**31),
)
def test_the_compiled_loops_find_the_same_to_the_last_bit(
    size: tuple[int, int], batch: int, one: bool, blur: float, seed: int
) -> None:
    compiled()
    random = torch.Generator().manual_seed(seed)
    image = torch.rand(1 if one else batch, 3, *size, generator=random)
    warped = torch.rand(batch, 3, size[0] + 2, size[1] + 3, generator=random)[..., 1:-1, 2:-1]
    found = photometric_error(image, warped, blur=blur)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(photometric, "library", lambda: None)
        assert torch.equal(found, photometric_error(image, warped, blur=blur))
