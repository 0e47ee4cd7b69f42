"""Supervisely's projects: bitmaps old and new, holes, who is who."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vsodtool.errors import DataError
from vsodtool.media.annotations.model import ReadOptions
from vsodtool.media.annotations.pictures import bilevel_png, to_base64, transparent_png
from vsodtool.media.annotations.reading import read_annotations

SIZE = (8, 10)
Save = Callable[..., Path]
RING = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool)


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def write(*objects: dict[str, Any], name: str = "a.jpg.json") -> Path:
        content = {"size": {"height": 8, "width": 10}, "objects": list(objects)}
        (tmp_path / "p" / "ds" / "ann").mkdir(parents=True, exist_ok=True)
        (tmp_path / "p" / "ds" / "ann" / name).write_text(json.dumps(content), "utf-8")
        return tmp_path / "p"

    return write


def bitmap(data: str, origin: tuple[int, int] = (2, 1)) -> dict[str, Any]:
    return {"classTitle": "dog", "geometryType": "bitmap", "bitmap": {"origin": list(origin), "data": data}}


def palette_png(mask: Any) -> bytes:
    image = Image.fromarray(mask.astype(np.uint8), "P")
    image.putpalette([0, 0, 0, 255, 255, 255])
    buffer = io.BytesIO()
    image.save(buffer, "PNG", transparency=0, bits=1)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        zlib.compress(transparent_png(RING)),
        zlib.compress(palette_png(RING)),
        bilevel_png(RING),
        palette_png(RING),
    ],
    ids=["alpha", "palette", "grey without zlib", "palette without zlib"],
)
def test_bitmaps_of_all_ages(save: Save, data: bytes) -> None:
    frame = read_annotations(save(bitmap(to_base64(data)))).videos[0].frames[0]
    expected = np.zeros(SIZE, bool)
    expected[1:4, 2:5] = RING
    np.testing.assert_array_equal(frame.shapes[0].draw(SIZE), expected)
    assert (frame.key.name, frame.key.size) == ("a.jpg", SIZE)


def test_polygons_have_holes_and_boxes_are_asked_for(save: Save) -> None:
    ring = [[1, 1], [6, 1], [6, 6], [1, 6]]
    hole = [[2, 2], [4, 2], [4, 4], [2, 4]]
    polygon = {
        "classTitle": "dog",
        "geometryType": "polygon",
        "points": {"exterior": ring, "interior": [hole]},
    }
    box = {"classTitle": "cat", "geometryType": "rectangle", "points": {"exterior": [[0, 0], [2, 2]]}}
    path = save(polygon, box, {"classTitle": "x", "geometryType": "point"})
    found = read_annotations(path)
    assert found.left_out == {"box": 1, "point": 1}
    assert np.count_nonzero(found.videos[0].frames[0].shapes[0].draw(SIZE)) == 25 - 4
    shapes = read_annotations(path, options=ReadOptions(boxes=True)).videos[0].frames[0].shapes
    assert np.count_nonzero(shapes[1].draw(SIZE)) == 4


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (bitmap("$$"), r"bitmap\.data: expected base64"),
        (bitmap(to_base64(b"\x78\x9cno")), "a zlib stream"),
        (bitmap(to_base64(zlib.compress(bilevel_png(np.ones((9, 4), bool))))), "at most 10x8, found 4x9"),
        ({**bitmap("x"), "bitmap": {"origin": [1], "data": "x"}}, r"expected \[x, y\]"),
    ],
)
def test_what_cannot_be_read_is_refused(save: Save, thing: dict[str, Any], words: str) -> None:
    path = save(thing)
    with pytest.raises(DataError, match=words) as caught:
        read_annotations(path).videos[0].frames[0].shapes[0].draw(SIZE)
    assert "a.jpg.json: objects[0]" in caught.value.message
    assert read_annotations(path, options=ReadOptions(skip_bad=True)).left_out["unreadable"] == 1


def test_objects_of_a_video_are_tracks(golden: Path) -> None:
    (video,) = read_annotations(golden / "supervisely-video").videos
    assert (video.name, video.length) == ("clip", 5)
    assert [[(shape.category, shape.track) for shape in frame.shapes] for frame in video.frames] == [
        [("dog", "1"), ("ball", "2")],
        [("dog", "1")],
    ]
