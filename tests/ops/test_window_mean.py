import pytest
import torch
from torch.nn import functional

from vsodtool.ops.window_mean import window_mean


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (2, 2), (7, 9)])
def test_it_is_the_pooling_of_torch_to_the_last_bit(size: tuple[int, int]) -> None:
    values = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    assert torch.equal(window_mean(values), functional.avg_pool2d(values, 3, 1, 1, count_include_pad=False))
