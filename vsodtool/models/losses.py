"""What training minimises."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from vsodtool.errors import ShapeError


def saliency_loss(logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    """Binary cross-entropy with logits, the mean over all pixels of all frames (section 3.4 of the paper).

    Args:
        logits: (..., 1, H, W).
        labels: the same shape, in [0, 1]; given and pseudo labels alike.
        weights: of the pixels, at least 0, broadcast to the same shape; None weighs all alike, as the paper.
            The result is the weighted mean, 0 where all weights are 0.

    Raises:
        ShapeError: logits and labels differ in shape.
    """
    if logits.shape != labels.shape:
        raise ShapeError(
            f"loss: expected logits and labels of one shape, found {tuple(logits.shape)} "
            f"and {tuple(labels.shape)}"
        )
    if weights is None:
        return functional.binary_cross_entropy_with_logits(logits, labels)
    losses = functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    spread = weights.expand_as(losses)
    return (losses * spread).sum() / spread.sum().clamp_min(1e-12)
