"""The small pieces that all networks share."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from vsodtool.models.rcrnet.layers import ConvBnRelu, resize


@pytest.mark.parametrize(("kernel", "dilation"), [(1, 1), (3, 1), (3, 6)])
def test_a_convolution_keeps_the_size_and_nothing_is_negative(kernel: int, dilation: int) -> None:
    torch.manual_seed(0)
    layer = ConvBnRelu(4, 6, kernel, dilation).eval()
    features = torch.randn(2, 4, 9, 11)
    found = layer(features)
    assert found.shape == (2, 6, 9, 11)
    assert found.min() == 0
    assert layer.conv.bias is None
    torch.testing.assert_close(found, functional.relu(layer.bn(layer.conv(features))))


def test_resizing_to_the_same_size_is_no_work() -> None:
    values = torch.rand(1, 2, 4, 6)
    assert resize(values, (4, 6)) is values
    ramp = torch.arange(4.0).view(1, 1, 1, 4)
    # align_corners=False: places of twice the resolution lie at -0.25, 0.25, 0.75, ... of the old ones.
    assert resize(ramp, (1, 8)).flatten().tolist() == [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]
