"""`weights list` and `show`: the registry as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vsodtool.errors import WeightsError
from vsodtool.models.weights.registry import REGISTRY
from vsodtool.pipelines.weights import list_weights, show_weights


def test_everything_declared_is_listed_in_its_order() -> None:
    assert [entry.name for entry in list_weights()] == [entry.name for entry in REGISTRY.entries]


@pytest.mark.parametrize("entry", REGISTRY.entries, ids=lambda entry: entry.name)
def test_each_is_shown_in_json_types(entry: object) -> None:
    name = entry.name  # type: ignore[attr-defined]
    shown = show_weights(name)
    assert json.loads(json.dumps(shown))["name"] == name
    bundled = shown["origin"] == "bundled"
    assert Path(shown["path"]).is_file() == Path(shown["card"]).is_file() == bundled


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(WeightsError, match="no weights are called 'x': expected one of") as caught:
        show_weights("x")
    assert "weights verify FILE" in caught.value.hint
