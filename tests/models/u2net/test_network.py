"""U²-NetP against ONNX Runtime (tests/data/u2netp.npz, of benchmarks/convert_u2netp.py), and its shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vsodtool.errors import ConfigError, WeightsError
from vsodtool.models.detector.detector import Detector
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.u2net.architecture import U2NetArchitecture
from vsodtool.models.u2net.network import U2Net
from vsodtool.models.weights.networks import create_network, read_architecture
from vsodtool.pipelines.networks.load import load_network


@pytest.fixture(scope="module")
def recorded() -> dict[str, Tensor]:
    arrays = np.load(Path(__file__).parents[2] / "data/u2netp.npz")
    return {name: torch.from_numpy(arrays[name]) for name in arrays.files}


@pytest.fixture(scope="module")
def shipped() -> U2Net:
    network = load_network("u2netp").network
    assert isinstance(network, U2Net)
    return network


def test_all_seven_maps_are_those_of_onnx_runtime(recorded: dict[str, Tensor], shipped: U2Net) -> None:
    images = Preprocessing(size=320).normalise(recorded["images"].float() / 255)
    with torch.inference_mode():
        maps = shipped.side_logits(images).sigmoid()
    assert recorded["maps"].std() > 0.1  # the picture says something
    torch.testing.assert_close(maps, recorded["maps"], rtol=0, atol=1e-4)


def test_it_has_the_published_number_of_parameters_less_the_folded_normalisations(shipped: U2Net) -> None:
    # 1,131,181 of U²-NetP with two of each normalised channel; folded, one of them is left of bias and two.
    normalised = sum(
        layer.out_channels
        for name, layer in shipped.named_modules()
        if isinstance(layer, nn.Conv2d) and not name.startswith(("sides", "fuse"))
    )
    assert sum(parameter.numel() for parameter in shipped.parameters()) == 1_131_181 - 2 * normalised


def test_the_detector_says_what_the_network_says(shipped: U2Net) -> None:
    images = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8, generator=torch.manual_seed(0))
    with torch.inference_mode():
        wanted = shipped(Preprocessing(size=64).normalise(images.float() / 255)).sigmoid()
    network = create_network(U2NetArchitecture())
    network.load_state_dict(shipped.state_dict())
    detector = Detector(network, Preprocessing(size=64), device=torch.device("cpu"), precision="fp32")
    assert not detector.is_video
    assert not detector.sees_motion
    torch.testing.assert_close(detector.detect(detector.encode(images), 1)[0], wanted, rtol=0, atol=1e-5)


def test_architecture_there_and_back() -> None:
    narrow = U2NetArchitecture(width=8, inner_width=4)
    assert read_architecture(json.loads(json.dumps(narrow.as_dict()))) == narrow
    assert str(narrow) == "u2net, 8-4"
    assert create_network(narrow)(torch.zeros(1, 3, 64, 80)).shape == (1, 1, 64, 80)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "image"}, "kind: expected u2net, found 'image'"),
        ({"width": 0}, "width: expected a whole number of at least 2, found 0"),
        ({"inner_width": True}, "inner_width: expected a whole number of at least 2, found True"),
        ({"depth": 3}, "unknown value 'depth'"),
    ],
)
def test_impossible_architectures_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        U2NetArchitecture.from_dict(values)


def test_commands_that_cannot_use_it_say_which_can() -> None:
    with pytest.raises(WeightsError, match="u2netp is U²-Net") as caught:
        load_network("u2netp", ("video", "image"))
    assert "predict --weights u2netp" in (caught.value.hint or "")
