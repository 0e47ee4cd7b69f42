"""Quarters are convolved as if they had been laid out."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import pixel_unshuffle

from vsodtool.models.evidence.halving import HalvingConvBnRelu
from vsodtool.models.inference.prepare import fold_batch_norm
from vsodtool.models.rcrnet.layers import ConvBnRelu


@torch.no_grad()
@pytest.mark.parametrize("channels_in", [12, 10, 9])
@pytest.mark.parametrize("folded", [False, True])
def test_is_the_convolution_of_the_unshuffled_maps(channels_in: int, *, folded: bool) -> None:
    torch.manual_seed(0)
    plain, halving = ConvBnRelu(channels_in, 5, 3), HalvingConvBnRelu(channels_in, 5, 3)
    torch.nn.init.normal_(plain.bn.running_mean)
    torch.nn.init.uniform_(plain.bn.weight, 0.5, 2)
    halving.load_state_dict(plain.state_dict())
    maps = torch.randn(2, 3, 8, 14)
    expected = plain.eval()(pixel_unshuffle(maps, 2)[:, :channels_in])
    if folded:
        assert fold_batch_norm(halving.eval()) == 1
    found = halving.eval()(maps)
    assert expected.min() == 0 < expected.max()
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
