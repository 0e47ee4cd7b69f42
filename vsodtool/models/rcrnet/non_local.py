"""The non-local block over the positions of all frames of a clip."""

from __future__ import annotations

from torch import Tensor, nn


class NonLocalBlock(nn.Module):
    """x + W(y), y = (theta^T phi / N) g with N = T H W and no softmax (Wang et al., CVPR 2018, dot product).

    As nothing non-linear stands between the products, theta^T (phi g^T) / N is the same function at a cost
    that is linear in N instead of quadratic (as Shen et al., arXiv 1812.01243, do with theirs).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = channels // 2
        self.theta = nn.Conv3d(channels, inner, 1)
        self.phi = nn.Conv3d(channels, inner, 1)
        self.g = nn.Conv3d(channels, inner, 1)
        self.W = nn.Conv3d(inner, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """(T, B, C, h, w) -> the same shape."""
        frames, batch, channels, height, width = features.shape
        # (T, B, C, h, w) -> (B, N, C): 1x1x1 convolutions are products of matrices then.
        rows = features.permute(1, 0, 3, 4, 2).reshape(batch, -1, channels)
        theta, phi, g = (_pointwise(part, rows) for part in (self.theta, self.phi, self.g))
        context = phi.transpose(1, 2) @ (
            g / rows.shape[1]
        )  # (B, C/2, C/2); divided first: no overflow in fp16
        related = rows + _pointwise(self.W, theta @ context)
        return related.reshape(batch, frames, height, width, channels).permute(1, 0, 4, 2, 3)


def _pointwise(layer: nn.Conv3d, rows: Tensor) -> Tensor:
    return nn.functional.linear(rows, layer.weight.flatten(1), layer.bias)
