"""Whether a network may round, asked of the network itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.models.detector.test_detector import CPU, PREPROCESSING, small
from vsodtool.models.detector.precision_check import agrees_with_fp32, check_images


def test_the_check_notices_a_network_that_rounding_changes() -> None:
    network = small("image")
    assert agrees_with_fp32(network, PREPROCESSING, CPU, "bf16")
    # A decoder a thousand times as steep makes large differences of small ones.
    logit = network.decoder.logit  # type: ignore[union-attr]
    logit.weight.data *= 1000  # type: ignore[union-attr, operator]
    assert not agrees_with_fp32(network, PREPROCESSING, CPU, "bf16")


@pytest.mark.parametrize(("steepness", "sizes"), [(1, [160, 160, 192, 192]), (100_000, [160, 160])])
def test_a_hopeless_network_is_not_asked_at_its_own_size(steepness: float, sizes: list[int]) -> None:
    network, seen = small("image"), list[int]()
    network.decoder.logit.weight.data *= steepness  # type: ignore[union-attr, operator]

    def look(module: torch.nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen.append(inputs[0].shape[-1])

    network.register_forward_pre_hook(look)
    agrees = agrees_with_fp32(network, replace(PREPROCESSING, size=192), CPU, "bf16")
    assert (agrees, seen) == (steepness == 1, sizes)


def test_check_images_are_always_the_same() -> None:
    first, second = check_images(64), check_images(64)
    assert torch.equal(first, second)
    assert first.shape == (2, 3, 64, 64)
    assert 0 <= first.min() < 0.01
    assert 0.99 < first.max() <= 1
