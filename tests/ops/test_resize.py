from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.errors import ShapeError
from vsodtool.ops.resize import resize_flow, resize_maps

SIDES = st.integers(1, 40)


@given(SIDES, SIDES, SIDES, SIDES)
def test_a_flow_keeps_its_share_of_the_image(height: int, width: int, rows: int, columns: int) -> None:
    flow = torch.tensor([width / 2, -height / 4]).view(1, 2, 1, 1).expand(1, 2, height, width)
    resized = resize_flow(flow, (rows, columns))
    assert resized.shape == (1, 2, rows, columns)
    torch.testing.assert_close(resized[:, 0], torch.full((1, rows, columns), columns / 2))
    torch.testing.assert_close(resized[:, 1], torch.full((1, rows, columns), -rows / 4))


def test_a_ramp_stays_a_ramp() -> None:
    ramp = torch.arange(64.0).expand(1, 1, 8, 64)
    half = resize_maps(ramp, (8, 32))
    torch.testing.assert_close(half[..., 2:-2], (2 * torch.arange(32.0) + 0.5).expand(1, 1, 8, 32)[..., 2:-2])


def test_what_is_made_smaller_is_averaged_not_picked() -> None:
    stripes = torch.tensor([0.0, 1.0]).repeat(32).expand(1, 1, 64, 64)
    small = resize_maps(stripes, (16, 16))
    torch.testing.assert_close(small[..., 1:-1], torch.full((1, 1, 16, 14), 0.5))


def test_what_fits_is_returned_as_it_is() -> None:
    maps = torch.rand(2, 3, 8, 9)
    assert resize_maps(maps, (8, 9)) is maps
    torch.testing.assert_close(resize_flow(maps[:, :2], (8, 9)), maps[:, :2], rtol=0, atol=0)


def test_a_flow_has_two_channels() -> None:
    with pytest.raises(ShapeError, match="flow"):
        resize_flow(torch.zeros(1, 3, 4, 4), (2, 2))
