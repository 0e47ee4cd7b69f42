"""A network made ready is the same function."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.models.stirred import stirred
from vsodtool.models.architecture import Architecture
from vsodtool.models.inference.prepare import exact_products, fold_batch_norm, prepare
from vsodtool.models.rcrnet.decoder import EnlargedDecoder
from vsodtool.models.rcrnet.network import Aspp, RcrNet

WIDTHS: dict[str, int] = dict.fromkeys(("context_width", "skip_width", "refine_width", "decoder_width"), 8)


def test_folding_keeps_the_function_and_leaves_no_normalisation() -> None:
    torch.manual_seed(4)
    aspp = stirred(Aspp(6, 8, 16))
    features = torch.randn(2, 6, 9, 9)
    expected = aspp(features)
    assert fold_batch_norm(aspp) == 6
    assert not any(isinstance(part, nn.BatchNorm2d) for part in aspp.modules())
    torch.testing.assert_close(aspp(features), expected, rtol=1e-4, atol=1e-5)


def test_threads_agree_on_the_switch_for_exact_products(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    first, second = exact_products(torch.float32), exact_products(torch.float32)
    with first:
        second.__enter__()
        assert torch.backends.cudnn.allow_tf32 is False
    assert torch.backends.cudnn.allow_tf32 is False  # the second one still computes
    second.__exit__(None, None, None)
    assert torch.backends.cudnn.allow_tf32 is True
    with exact_products(torch.bfloat16):
        assert torch.backends.cudnn.allow_tf32 is True


def test_a_ready_network_is_the_same_function_and_learns_nothing() -> None:
    torch.manual_seed(6)
    network = stirred(RcrNet(Architecture(kind="image", backbone="mobilenet_v3_small", **WIDTHS)))
    images = torch.rand(2, 3, 64, 96)
    with torch.inference_mode():
        expected = network(images)
        ready = prepare(network, torch.device("cpu"), torch.float32)
        found = ready(images)
    assert ready is network
    assert isinstance(ready.decoder, EnlargedDecoder)
    assert not ready.training
    assert not any(parameter.requires_grad for parameter in ready.parameters())
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
