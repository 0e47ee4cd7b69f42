"""What is declared about a weight file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from vsodtool.models.architecture import VIDEO, Architecture
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.weights.entry import BUNDLED, EXTERNAL, WeightsEntry, WeightsRegistry

ENTRY = WeightsEntry(
    name="tiny",
    kind=VIDEO,
    origin=BUNDLED,
    summary="a test",
    file="tiny.safetensors",
    sha256="ab",
    size=7,
    licence="MIT",
    source="https://example.invalid/weights/tiny.safetensors",
    architecture=Architecture(),
    preprocessing=Preprocessing(),
    scores={"d": {"j": 0.5}},
    default=True,
)


def test_an_entry_in_json_types_and_its_place() -> None:
    values = json.loads(json.dumps(ENTRY.as_dict()))
    assert values["architecture"] == Architecture().as_dict()
    assert values["scores"] == {"d": {"j": 0.5}}
    assert replace(ENTRY, architecture=None).as_dict()["architecture"] is None
    assert ENTRY.place == "example.invalid/weights"


def test_a_registry_finds_names_defaults_and_files() -> None:
    other = replace(ENTRY, name="far", origin=EXTERNAL, kind="image")
    registry = WeightsRegistry((other, ENTRY), folder=Path("folder"))
    assert registry.find("far") is other
    assert registry.find("nothing") is None
    assert registry.default((VIDEO,)) is ENTRY
    assert registry.default(("image",)) is None  # it is not here
    assert registry.default(("image", VIDEO)) is ENTRY
    assert registry.path(ENTRY) == Path("folder/tiny.safetensors")
    assert registry.card(ENTRY) == Path("folder/tiny.md")


@pytest.mark.parametrize("name", ["path", "card"])
def test_without_a_folder_files_are_those_that_come_along(name: str) -> None:
    place = getattr(WeightsRegistry((ENTRY,)), name)(ENTRY)
    assert place.parent.name == "weights"
