"""The description of a fused detector: there and back, and its two parts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vsodtool.errors import ConfigError
from vsodtool.models.architecture import Architecture
from vsodtool.models.fused.architecture import FusedArchitecture
from vsodtool.models.u2net.architecture import U2NetArchitecture
from vsodtool.models.weights.networks import read_architecture

SMALL = FusedArchitecture(backbone="resnet18", context_width=8, looks_width=8)


def test_architecture_there_and_back() -> None:
    assert read_architecture(json.loads(json.dumps(SMALL.as_dict()))) == SMALL
    assert str(SMALL) == "fused, resnet18/16, 8-96-128-256, motion, looks 8-16"


def test_it_has_two_parts() -> None:
    assert SMALL.video == Architecture(kind="video", backbone="resnet18", context_width=8, motion_input=True)
    assert SMALL.looks == U2NetArchitecture(width=8, inner_width=16)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "video"}, "kind: expected fused, found 'video'"),
        ({"context_width": 7}, "context_width: expected an even number"),
        ({"motion_input": False}, "motion_input: expected true, found False"),
        ({"looks_width": 1}, "width: expected a whole number of at least 2, found 1"),
        ({"looks_inner_width": 4.0}, "inner_width: expected a whole number of at least 2, found 4.0"),
    ],
)
def test_impossible_architectures_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        FusedArchitecture.from_dict(values)


def test_no_video_network_has_looks() -> None:
    with pytest.raises(ConfigError, match="unknown value 'looks_inner_width'"):
        read_architecture({**SMALL.as_dict(), "kind": "video"})
