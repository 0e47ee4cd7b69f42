from __future__ import annotations

import pytest
import torch
from torch import nn

from vsodtool.models.unplanned import UnplannedConv2d, pointwise

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.parametrize("bias", [True, False])
def test_a_pointwise_convolution_is_a_product_of_matrices(bias: bool) -> None:
    torch.manual_seed(0)
    convolution = nn.Conv2d(5, 7, 1, bias=bias).double()
    images = torch.randn(2, 5, 3, 4, dtype=torch.float64)
    found = pointwise(images, convolution.weight, convolution.bias)
    torch.testing.assert_close(found, convolution(images), rtol=1e-12, atol=1e-12)


@pytest.mark.gpu
@needs_cuda
@pytest.mark.parametrize("shape", [{}, {"groups": 6}, {"groups": 6, "stride": 2}, {"kernel_size": 1}])
def test_on_a_gpu_it_is_what_cudnn_computes(shape: dict[str, int]) -> None:
    torch.manual_seed(0)
    kernel = shape.get("kernel_size", 3)
    more = {"padding": kernel // 2, "kernel_size": kernel, **shape}
    convolution = UnplannedConv2d(6, 6, **more).cuda().double().requires_grad_(False)
    images = torch.randn(2, 6, 11, 8, dtype=torch.float64, device="cuda")
    with torch.inference_mode():
        found = convolution(images.contiguous(memory_format=torch.channels_last))
    assert torch.allclose(found, convolution(images), rtol=1e-9, atol=1e-9)
