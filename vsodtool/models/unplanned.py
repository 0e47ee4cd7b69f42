"""Convolutions that do not keep a GPU waiting for a plan: depthwise and pointwise ones."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class UnplannedConv2d(nn.Conv2d):
    """A convolution that does without cuDNN on a GPU where it can, if nothing is to be learned.

    cuDNN plans every convolution anew for every size of its input: 3 ms, and for a depthwise one of channels
    last it compiles a kernel in .2 s (H200, cuDNN 9). Boxes have many sizes. torch's own depthwise kernel and
    a product of matrices need no plan.
    """

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if input.is_cuda and not torch.is_grad_enabled():
            if self.groups == self.in_channels == self.out_channels > 1:
                depthwise: Tensor = torch.ops.aten._conv_depthwise2d(
                    input.contiguous(),
                    weight.contiguous(),
                    self.kernel_size,
                    bias,
                    self.stride,
                    self.padding,
                    self.dilation,
                )
                return depthwise
            if self.groups == 1 and weight[0, 0].numel() == max(self.stride) == 1:
                return pointwise(input, weight, bias)
        planned: Tensor = super()._conv_forward(input, weight, bias)
        return planned


def pointwise(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A convolution (N, C, h, w) -> (N, D, h, w) with a kernel (D, C, 1, 1), as a product of matrices."""
    return functional.linear(input.permute(0, 2, 3, 1), weight.flatten(1), bias).permute(0, 3, 1, 2)
