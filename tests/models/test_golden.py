"""The networks against the outputs of the authors' own (tests/data/golden.npz): within 1e-4 on logits."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from vsodtool.models.inference.prepare import prepare
from vsodtool.models.paper.network import fgplg_input
from vsodtool.models.rcrnet.network import RcrNet
from vsodtool.ops.warp import backward_warp

KINDS = ("image", "video", "fgplg")
OUTPUTS = {"image": "image_logits", "video": "clip_logits", "fgplg": "fgplg_logits"}
CPU = torch.device("cpu")
Network = Callable[[str], RcrNet]


def network_input(kind: str, golden: dict[str, Tensor]) -> Tensor:
    if kind != "fgplg":
        return golden["image_input" if kind == "image" else "clip_input"]
    flows = (golden["fgplg_flows"][0], golden["fgplg_flows"][1])
    left, right = (
        backward_warp(labels, flow)[0] for labels, flow in zip(golden["fgplg_labels"], flows, strict=True)
    )
    return fgplg_input(golden["fgplg_frame"], (left, right), flows)


@pytest.mark.parametrize("kind", KINDS)
def test_logits_are_the_published_ones(
    kind: str, golden: dict[str, Tensor], published_network: Network
) -> None:
    with torch.inference_mode():
        logits = published_network(kind)(network_input(kind, golden))
    torch.testing.assert_close(logits, golden[OUTPUTS[kind]], rtol=0, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_also_when_made_ready_for_inference(
    kind: str, golden: dict[str, Tensor], published_network: Network
) -> None:
    with torch.inference_mode():
        network = prepare(published_network(kind), CPU, torch.float32)
        logits = network(network_input(kind, golden))
    torch.testing.assert_close(logits, golden[OUTPUTS[kind]], rtol=0, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_bf16_changes_no_map_by_more_than_two_levels(
    kind: str, golden: dict[str, Tensor], published_network: Network
) -> None:
    with torch.inference_mode():
        network = prepare(published_network(kind), CPU, torch.bfloat16)
        logits = network(network_input(kind, golden).bfloat16()).float()
    maps, expected = torch.sigmoid(logits), torch.sigmoid(golden[OUTPUTS[kind]])
    torch.testing.assert_close(maps, expected, rtol=0, atol=2 / 255)
