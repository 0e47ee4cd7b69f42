"""Descriptions stored beside weights."""

from __future__ import annotations

import json

import pytest

from vsodtool.errors import ConfigError
from vsodtool.models.architecture import Architecture
from vsodtool.models.described import Described, check_choice, check_width
from vsodtool.models.evidence.architecture import EvidenceArchitecture
from vsodtool.models.preprocessing import Preprocessing


@pytest.mark.parametrize("kind", [Architecture, EvidenceArchitecture, Preprocessing])
def test_a_description_is_plain_values_and_comes_back(kind: type[Described]) -> None:
    described = kind()
    assert kind.from_dict(json.loads(json.dumps(described.as_dict()))) == described
    for other in ([], None, "text", 1):
        with pytest.raises(ConfigError, match="expected named values, found"):
            kind.from_dict(other)  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [0, 1, 2.0, True, None, "8", -4, 1 << 17])
def test_what_is_no_number_of_channels_is_refused(width: object) -> None:
    with pytest.raises(ConfigError, match="architecture: skip_width: expected"):
        check_width("skip_width", width)


def test_a_choice_of_one_and_of_several() -> None:
    check_width("skip_width", 8, step=2)
    check_choice("kind", "a", ("a", "b"))
    with pytest.raises(ConfigError, match="kind: expected one of a, b, found 'c'"):
        check_choice("kind", "c", ("a", "b"))
    with pytest.raises(ConfigError, match="kind: expected a, found 1"):
        check_choice("kind", 1, ("a",))
    with pytest.raises(ConfigError, match="skip_width: expected an even number of at least 2, found 7"):
        check_width("skip_width", 7, step=2)
