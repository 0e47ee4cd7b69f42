"""Whether a network may round, asked of the network itself."""

from __future__ import annotations

import torch

from tests.models.detector.test_detector import CPU, PREPROCESSING, small
from vsodtool.models.detector.precision_check import agrees_with_fp32, check_images


def test_the_check_notices_a_network_that_rounding_changes() -> None:
    network = small("image")
    assert agrees_with_fp32(network, PREPROCESSING, CPU, "bf16")
    # A decoder a thousand times as steep makes large differences of small ones.
    logit = network.decoder.logit  # type: ignore[union-attr]
    logit.weight.data *= 1000  # type: ignore[union-attr, operator]
    assert not agrees_with_fp32(network, PREPROCESSING, CPU, "bf16")


def test_check_images_are_always_the_same() -> None:
    first, second = check_images(64), check_images(64)
    assert torch.equal(first, second)
    assert first.shape == (2, 3, 64, 64)
    assert 0 <= first.min() < 0.01
    assert 0.99 < first.max() <= 1
