"""The input of FGPLG."""

from __future__ import annotations

import pytest
import torch

from vsodtool.errors import ShapeError
from vsodtool.models.paper.network import fgplg_input, flow_length


def test_flow_length_is_a_share_of_the_size() -> None:
    flow = torch.zeros(1, 2, 10, 20)
    flow[:, 0], flow[:, 1] = 6.0, 4.0  # 6/20 right, 4/10 down
    torch.testing.assert_close(flow_length(flow), torch.full((1, 1, 10, 20), 0.5))


def test_fgplg_input_has_seven_channels_in_the_published_order() -> None:
    frame = torch.arange(3.0).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    left, right = torch.full((2, 1, 1, 4, 4), 0.25).unbind()
    to_left, to_right = torch.zeros(1, 2, 4, 4), torch.full((1, 2, 4, 4), 4.0)
    channels = fgplg_input(frame, (left, right + 0.5), (to_left, to_right))[0, :, 0, 0]
    torch.testing.assert_close(channels, torch.tensor([0, 1, 2, 0.25, 0.75, 0, 2**0.5]))


def test_fgplg_input_refuses_a_label_of_two_channels() -> None:
    zeros = torch.zeros(1, 2, 4, 4)
    with pytest.raises(ShapeError, match=r"warped label: expected a floating \(B, 1, H, W\)"):
        fgplg_input(torch.zeros(1, 3, 4, 4), (zeros, zeros), (zeros, zeros))
