"""Names of objects: those of annotation files, and those that were given on the page."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from vsodtool.errors import DataError
from vsodtool.media.annotations.objects import ObjectInfo
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.object_names import read_added_objects, read_object_names

DOG, BIRD = ObjectInfo(1, "dog", "dog", "7", "#010203"), ObjectInfo(3, "bird", "bird")


def test_both_are_read(tmp_path: Path) -> None:
    layout = OutputLayout(tmp_path)
    assert read_object_names(layout) == {}
    layout.corrections.mkdir()
    said = {"frames": {}, "objects": [asdict(BIRD)]}
    layout.notes.write_text(json.dumps({"version": 1, "videos": {"clip": said, "other": {"frames": {}}}}))
    assert read_object_names(layout) == {"clip": {3: BIRD}, "other": {}}
    layout.objects.write_text(json.dumps({"videos": {"clip": [asdict(DOG)]}}))
    assert read_object_names(layout)["clip"] == {1: DOG, 3: BIRD}
    assert read_added_objects(layout)["clip"] == (BIRD,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"videos": {"clip": {"objects": [{"id": "x"}]}}}',
        '{"version": 2, "videos": {}}',  # what the page refuses is refused here, too
        '{"version": 1, "videos": {"clip": {"frames": {"00001": {"flag": "good"}}}}}',
    ],
)
def test_damage_is_refused(tmp_path: Path, text: str) -> None:
    layout = OutputLayout(tmp_path)
    layout.corrections.mkdir()
    layout.notes.write_text(text)
    with pytest.raises(DataError, match=r"review\.json: expected flags"):
        read_object_names(layout)
