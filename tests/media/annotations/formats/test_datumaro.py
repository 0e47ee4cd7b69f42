"""Datumaro's items: masks, polygons, boxes, who is who."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.media.annotations.clips import Clip
from vsodtool.errors import DataError
from vsodtool.media.annotations.mapping import MatchRule, match_annotations
from vsodtool.media.annotations.model import ReadOptions, Shape
from vsodtool.media.annotations.reading import read_annotations

SIZE = (8, 10)
Save = Callable[..., Path]


@pytest.fixture
def save(golden: Path, tmp_path: Path) -> Save:
    def write(*annotations: dict[str, Any], image: Any = None) -> Path:
        loaded = json.loads((golden / "datumaro" / "annotations" / "default.json").read_text("utf-8"))
        loaded["items"] = [{"id": "a", "annotations": list(annotations), "image": image}]
        (tmp_path / "default.json").write_text(json.dumps(loaded), "utf-8")
        return tmp_path / "default.json"

    return write


def shapes(path: Path, **options: bool) -> tuple[Shape, ...]:
    return read_annotations(path, options=ReadOptions(**options)).videos[0].frames[0].shapes


def test_shapes_that_are_areas(save: Save) -> None:
    polygon = {"type": "polygon", "label_id": 0, "points": [2, 1, 4, 1, 4, 3, 2, 3], "z_order": 2}
    box = {"type": "bbox", "label_id": 1, "bbox": [2, 1, 2, 2], "attributes": {"track_id": 5}}
    path = save(polygon, box, {"type": "label", "label_id": 1})
    found = read_annotations(path)
    assert found.left_out == {"box": 1, "label": 1}
    assert found.videos[0].frames[0].key.name == "a.jpg"
    drawn = shapes(path, boxes=True)
    assert [(one.category, one.kind, one.z, one.track) for one in drawn] == [
        ("dog", "polygon", 2, None),
        ("ball", "box", 0, "5"),
    ]
    assert [np.count_nonzero(one.draw(SIZE)) for one in drawn] == [4, 4]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"type": "polygon", "label_id": 2, "points": [1, 1, 2, 2, 3, 3]}, "one of the labels, found 2"),
        ({"type": "polygon", "label_id": 0, "points": [1, 1, 2, 2]}, "at least 3 points"),
        (
            {"type": "mask", "label_id": 0, "rle": {"size": [9, 10], "counts": "i12607"}},
            r"\[8, 10\] like its image",
        ),
    ],
)
def test_what_cannot_be_read_is_refused(save: Save, entry: dict[str, Any], words: str) -> None:
    path = save(entry, image={"path": "x/a.png", "size": [8, 10]})
    with pytest.raises(DataError, match=rf"items\[0\]\.annotations\[0\].*{words}"):
        shapes(path)


def test_the_place_in_a_task_is_no_frame_of_a_video_file(golden: Path, tmp_path: Path) -> None:
    loaded = json.loads((golden / "datumaro" / "annotations" / "default.json").read_text("utf-8"))
    drawn = {"type": "polygon", "label_id": 0, "points": [1, 1, 5, 1, 5, 5]}
    loaded["items"] = [
        {"id": f"{number:05d}", "attr": {"frame": place}, "annotations": [drawn]}
        for place, number in enumerate((1, 2, 4))
    ]
    path = tmp_path / "default.json"
    path.write_text(json.dumps(loaded), "utf-8")
    found = match_annotations(read_annotations(path), [Clip(name="clip")], MatchRule()).videos["clip"]
    assert list(found.frames) == ["00001", "00002", "00004"]
