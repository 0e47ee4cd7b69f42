"""Batch normalisation whose statistics never change, also not after `.train()`."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class FrozenBatchNorm2d(nn.BatchNorm2d):
    """A BatchNorm2d that always uses its running statistics and never updates them.

    The paper fine-tunes with frozen statistics (section 4.2 of arXiv 1908.04051): one clip is too small a
    batch to estimate them. State dict and eval-mode results are those of BatchNorm2d; weight and bias may
    learn.
    """

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W) -> the same, normalised by the running statistics."""
        return functional.batch_norm(
            input, self.running_mean, self.running_var, self.weight, self.bias, training=False, eps=self.eps
        )


def freeze_batch_norm(network: nn.Module, *, affine: bool = True) -> int:
    """Make every BatchNorm2d inside `network` a frozen one, in place; parameters and buffers are kept.

    Args:
        network: changed.
        affine: let weight and bias learn on.

    Returns:
        The number of layers that are frozen now.
    """
    frozen = 0
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if not isinstance(child, nn.BatchNorm2d):
                continue
            if not isinstance(child, FrozenBatchNorm2d):
                setattr(parent, name, _frozen_copy(child))
            frozen += 1
    if not affine:
        for module in network.modules():
            if isinstance(module, FrozenBatchNorm2d):
                module.requires_grad_(False)
    return frozen


def _frozen_copy(layer: nn.BatchNorm2d) -> FrozenBatchNorm2d:
    copy = FrozenBatchNorm2d(layer.num_features, layer.eps, layer.momentum, affine=layer.affine)
    copy.weight, copy.bias = layer.weight, layer.bias
    copy.running_mean, copy.running_var = layer.running_mean, layer.running_var
    copy.num_batches_tracked = layer.num_batches_tracked
    return copy
