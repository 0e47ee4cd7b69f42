"""The branch that sees motion: its levels have the sizes of a backbone's."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from vsodtool.models.rcrnet.motion_encoder import WIDTHS, MotionEncoder
from vsodtool.ops.motion.layout import CHANNELS, REDUCED


@pytest.mark.parametrize(("stride", "sides"), [(16, (16, 8, 4, 4)), (8, (16, 8, 8, 8))])
def test_levels_lie_beside_those_of_the_image(stride: int, sides: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    levels = MotionEncoder(stride).eval()(torch.randn(2, CHANNELS, 64, 64))
    assert [tuple(level.shape) for level in levels] == [
        (2, width, side, side) for width, side in zip(WIDTHS, sides, strict=True)
    ]


def test_the_maps_are_seen_at_their_own_size() -> None:
    """They come enlarged to that of the images: what averages to the same maps is the same."""
    torch.manual_seed(0)
    encoder = MotionEncoder(16).eval()
    small = torch.randn(1, CHANNELS, 32, 32)
    enlarged = functional.interpolate(small, scale_factor=REDUCED, mode="nearest")
    shifted = enlarged.clone()
    shifted[..., ::2] += 0.5
    shifted[..., 1::2] -= 0.5
    for level, other in zip(encoder(enlarged), encoder(shifted), strict=True):
        torch.testing.assert_close(level, other, atol=1e-5, rtol=1e-4)
