"""Architectures and preprocessing as plain values: there and back, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from vsodtool.errors import ConfigError
from vsodtool.models.architecture import Architecture
from vsodtool.models.described import Described
from vsodtool.models.evidence.architecture import EvidenceArchitecture
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.weights.networks import create_network


def test_architecture_there_and_back() -> None:
    small = Architecture(kind="image", backbone="resnet18", output_stride=8, context_width=64)
    assert Architecture.from_dict(json.loads(json.dumps(small.as_dict()))) == small
    assert str(small) == "image, resnet18/8, 64-96-128-256"


def test_preprocessing_there_and_back() -> None:
    other = Preprocessing(size=320, mean=(0.1, 0.2, 0.3))
    assert Preprocessing.from_dict(json.loads(json.dumps(other.as_dict()))) == other


def test_normalise_is_by_channel() -> None:
    grey = Preprocessing(mean=(0.5, 0.25, 0.0), std=(0.5, 0.25, 1.0)).normalise(torch.ones(1, 3, 2, 2))
    assert grey[0, :, 0, 0].tolist() == [1.0, 3.0, 1.0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "audio"}, "kind: expected one of image, video, fgplg, found 'audio'"),
        ({"backbone": "vgg16"}, "backbone: expected one of"),
        ({"output_stride": 4}, "output_stride: expected one of 8, 16, found 4"),
        ({"context_width": 7}, "context_width: expected an even number of at least 2, found 7"),
        ({"decoder_width": 0}, "decoder_width: expected a whole number of at least 2, found 0"),
        ({"motion_input": 1}, "motion_input: expected true or false, false for fgplg, found 1"),
        ({"kind": "fgplg", "motion_input": True}, "motion_input: expected true or false, false for fgplg"),
        ({"depth": 3}, "unknown value 'depth'"),
        ({"context_width": float("inf")}, "context_width: expected an even number of at least 2, found inf"),
        ({"refine_width": 10**18}, "refine_width: expected at most 65536"),
        ({"kind": ["video"]}, r"kind: expected one of image, video, fgplg, found \('video',\)"),
    ],
)
def test_impossible_architectures_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Architecture.from_dict(values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": 100}, "size: expected a multiple of 16 of at least 64, found 100"),
        ({"size": 48}, "size: expected a multiple of 16 of at least 64, found 48"),
        ({"size": True}, "size: expected a multiple"),
        ({"mean": [0.5]}, "mean: expected three numbers"),
        ({"std": [0.5, 0.0, 0.5]}, "std: expected three numbers"),
        ({"crop": 3}, "unknown value 'crop'"),
        ({"size": 16 * 10**9}, "size: expected at most 4096"),
        ({"mean": "abc"}, "mean: expected three numbers, found 'abc'"),
        ({"mean": [float("inf"), 0, 0]}, "mean: expected three numbers"),
        ({"std": [[1], [1], [1]]}, "std: expected three numbers"),
    ],
)
def test_impossible_preprocessing_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Preprocessing.from_dict(values)


@pytest.mark.parametrize(
    ("kind", "motion"),
    [("image", False), ("video", False), ("fgplg", False), ("image", True), ("video", True)],
)
def test_every_kind_trains(kind: str, motion: bool) -> None:
    network = create_network(
        Architecture(
            kind=kind,
            backbone="mobilenet_v3_small",
            context_width=8,
            skip_width=8,
            refine_width=8,
            decoder_width=8,
            motion_input=motion,
        )
    )
    channels = network.architecture.channels_in
    shape = (2, 1, channels, 64, 80) if kind == "video" else (2, channels, 64, 80)
    logits = network(torch.randn(shape))
    assert logits.shape == (*shape[:-3], 1, 64, 80)
    logits.square().mean().backward()
    unused = [name for name, value in network.named_parameters() if value.grad is None]
    assert unused == []


@pytest.mark.parametrize("kind", [Architecture, EvidenceArchitecture, Preprocessing])
def test_a_description_is_plain_values_and_comes_back(kind: type[Described]) -> None:
    described = kind()
    assert kind.from_dict(json.loads(json.dumps(described.as_dict()))) == described
    for other in ([], None, "text", 1):
        with pytest.raises(ConfigError, match="expected named values, found"):
            kind.from_dict(other)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "video"}, "kind: expected densifier, found 'video'"),
        ({"backbone": "resnet50"}, "backbone: expected efficientnet_lite0, found 'resnet50'"),
        ({"fine_width": 1}, "fine_width: expected a whole number of at least 2, found 1"),
        ({"coarse_width": True}, "coarse_width: expected a whole number"),
        ({"depth": 1}, "unknown value 'depth'"),
    ],
)
def test_impossible_densifiers_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        EvidenceArchitecture.from_dict(values)
