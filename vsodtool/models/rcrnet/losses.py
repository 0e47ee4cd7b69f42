"""What training minimises."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from vsodtool.errors import ShapeError

_CROSS_ENTROPY = 2.0


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


def region_loss(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy, and 1 - J where J is that of soft regions: what the learned densifier minimises.

    A deviation from the paper (cross-entropy alone): most pixels around an object are easy, and what labels
    are judged by is the region. Each frame counts the same, whatever the size of its object.

    Args:
        logits: (N, 1, H, W).
        labels: the same shape, in [0, 1].
        weights: of the pixels, the same shape, at least 0.

    Raises:
        ShapeError: logits and labels differ in shape.
    """
    pixels = saliency_loss(logits, labels, weights)
    inside = (-3, -2, -1)
    found, truth = logits.sigmoid() * weights, labels * weights
    both = (found * truth).sum(inside)
    either = (found + truth).sum(inside) - both
    # The one pixel that both have more makes an empty frame found empty right, and keeps the quotient finite.
    return _CROSS_ENTROPY * pixels + (1 - (both + 1) / (either + 1)).mean()
