"""Light that changes by a known gain and offset is found again; light that does not change is left alone."""

from __future__ import annotations

import pytest
import torch

from vsodtool.ops.labels.exposure import exposure_between, in_light_of


def picture(low: float = 0.2, high: float = 0.6, size: tuple[int, int] = (60, 80)) -> torch.Tensor:
    rng = torch.Generator().manual_seed(0)
    return low + (high - low) * torch.rand(1, 3, *size, generator=rng)


@pytest.mark.parametrize("gain", [0.3, 0.5, 0.85, 1.0, 1.2, 1.6])
@pytest.mark.parametrize("offset", [-0.05, 0.0, 0.02])
def test_gain_and_offset_are_found(gain: float, offset: float) -> None:
    image = picture()
    found = exposure_between(image, gain * image + offset)
    if found is None:  # hardly any change
        assert abs((gain - 1) * 0.4 + offset) < 0.09
        return
    torch.testing.assert_close(found.gain, torch.full((1, 3, 1, 1), gain), atol=1e-3, rtol=0)
    torch.testing.assert_close(found.offset, torch.full((1, 3, 1, 1), offset), atol=1e-3, rtol=0)


def test_the_same_light_is_left_alone_wherever_things_are() -> None:
    image = picture()
    for other in (image, image.roll((7, 13), (2, 3)), image.flip(-1), (image + 0.02).clamp(0, 1)):
        assert exposure_between(image, other) is None
        assert in_light_of(image, other) is image


def test_what_is_cut_off_tells_nothing() -> None:
    image = picture(0.3, 0.95)
    flash = (image + 0.4).clamp(0, 1)  # half of it is white
    found = exposure_between(image, flash)
    assert found is not None
    torch.testing.assert_close(found.apply(image), flash, atol=0.02, rtol=0)


def test_nothing_is_known_of_a_picture_that_is_all_white() -> None:
    image = picture()
    white = torch.ones_like(image)
    found = exposure_between(white, image)
    assert found is None or bool(torch.isfinite(found.apply(white)).all())


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (5, 3), (300, 200)])
def test_any_size(size: tuple[int, int]) -> None:
    dark = picture(size=size) / 3
    light = in_light_of(dark, picture(size=size))
    assert light.shape == dark.shape
    torch.testing.assert_close(light.mean(), picture(size=size).mean(), atol=0.1, rtol=0)


def test_each_channel_has_its_own() -> None:
    image = picture()
    red = image + torch.tensor([0.3, 0, 0]).view(1, 3, 1, 1)
    found = exposure_between(image, red)
    assert found is not None
    torch.testing.assert_close(found.offset.flatten(), torch.tensor([0.3, 0, 0]), atol=1e-3, rtol=0)


def test_of_aligned_pictures_another_light_must_explain_the_difference() -> None:
    image = picture()
    assert exposure_between(image, 0.5 * image, aligned=True) is not None
    covered = image.clone()
    covered[..., :25] = 0.9  # something bright came in: quantiles shift, light does not
    assert exposure_between(image, covered) is not None
    assert exposure_between(image, covered, aligned=True) is None
