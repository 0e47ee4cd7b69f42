from __future__ import annotations

import pytest
import torch

from vsodtool.errors import ShapeError
from vsodtool.models.rcrnet.losses import region_loss, saliency_loss


def test_of_a_half_right_region() -> None:
    """Two pixels found (one wrongly), two true: J = 1/3, with the one that both have more 2/4."""
    logits = torch.tensor([20.0, 20.0, -20.0, -20.0]).view(1, 1, 1, 4)
    labels = torch.tensor([1.0, 0.0, 1.0, 0.0]).view(1, 1, 1, 4)
    weights = torch.ones(1, 1, 1, 4)
    expected = 2 * float(saliency_loss(logits, labels)) + 1 - 2 / 4
    assert float(region_loss(logits, labels, weights)) == pytest.approx(expected, abs=1e-4)


def test_pixels_without_weight_do_not_count() -> None:
    logits, labels = torch.randn(2, 1, 4, 4), torch.rand(2, 1, 4, 4).round()
    weights = torch.ones(2, 1, 4, 4)
    weights[..., 2:, :] = 0
    other = torch.where(weights > 0, logits, -logits)
    torch.testing.assert_close(region_loss(logits, labels, weights), region_loss(other, labels, weights))


def test_an_empty_frame_found_empty_costs_nothing() -> None:
    logits, nothing = torch.full((1, 1, 4, 4), -30.0), torch.zeros(1, 1, 4, 4)
    assert float(region_loss(logits, nothing, torch.ones_like(nothing))) == pytest.approx(0, abs=1e-5)


def test_shapes_must_agree() -> None:
    with pytest.raises(ShapeError, match="one shape"):
        region_loss(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 5), torch.ones(1, 1, 4, 4))


def test_loss_is_the_mean_cross_entropy() -> None:
    logits, labels = torch.tensor([[[0.0, 2.0]]]), torch.tensor([[[1.0, 0.0]]])
    losses = torch.tensor([0.5, 1 / (1 + torch.exp(torch.tensor(2.0)))]).log().neg()
    torch.testing.assert_close(saliency_loss(logits, labels), losses.mean())
    weights = torch.tensor([[[3.0, 1.0]]])
    expected = (3 * losses[0] + losses[1]) / 4
    torch.testing.assert_close(saliency_loss(logits, labels, weights), expected)
    assert saliency_loss(logits, labels, torch.zeros(1)) == 0


def test_loss_refuses_shapes_that_would_be_broadcast() -> None:
    with pytest.raises(ShapeError, match="expected logits and labels of one shape"):
        saliency_loss(torch.zeros(2, 1, 4, 4), torch.zeros(1, 1, 4, 4))
