"""Architectures and preprocessing as plain values: there and back, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from vsodtool.errors import ConfigError
from vsodtool.models.architecture import Architecture
from vsodtool.models.preprocessing import Preprocessing


def test_architecture_there_and_back() -> None:
    small = Architecture(kind="image", backbone="resnet18", output_stride=8, context_width=64)
    assert Architecture.from_dict(json.loads(json.dumps(small.as_dict()))) == small
    assert str(small) == "image, resnet18/8, 64-96-128-256"


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
