"""LabelMe's and X-AnyLabeling's files as they occur."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.media.annotations.conftest import annotations_of
from vsodtool.errors import DataError
from vsodtool.media.annotations.formats.labelme import inner_ring, write_labelme
from vsodtool.media.annotations.pictures import bilevel_png, to_base64
from vsodtool.media.annotations.reading import read_annotations
from vsodtool.media.annotations.rings import trace_parts
from vsodtool.media.annotations.shapes import pil_polygon

SIZE = (8, 10)
Save = Callable[..., Path]
SQUARE = [[1, 1], [3, 1], [3, 3], [1, 3]]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def write(*shapes: dict[str, Any], name: str = "00000.json", **more: Any) -> Path:
        content = {
            "shapes": list(shapes),
            "imagePath": "00000.jpg",
            "imageHeight": 8,
            "imageWidth": 10,
        } | more
        (tmp_path / name).write_text(json.dumps(content), "utf-8")
        return tmp_path

    return write


def drawn(folder: Path) -> list[list[int]]:
    (shape,) = read_annotations(folder).videos[0].frames[0].shapes
    return np.argwhere(shape.draw(SIZE)).tolist()


def mask(points: list[list[float]], height: int = 2, width: int = 3) -> dict[str, Any]:
    data = to_base64(bilevel_png(np.ones((height, width), bool)))
    return {"label": "dog", "shape_type": "mask", "points": points, "mask": data}


@pytest.mark.parametrize(
    ("points", "first"),
    [
        ([[4, 2], [6, 3]], (2, 4)),
        ([[4.5, 2.5], [6.9, 4.1]], (2, 4)),  # fractions round half to even, the size is the picture's
        ([[3.5, 1.5], [6.1, 3.2]], (2, 4)),
        ([[-1, -1], [1, 0]], (0, 0)),  # out of the image: cut off
    ],
)
def test_corners_of_masks(save: Save, points: list[list[float]], first: tuple[int, int]) -> None:
    found = drawn(save(mask(points)))
    assert tuple(found[0]) == first
    assert len(found) == (2 if points[0][0] < 0 else 6)


@pytest.mark.parametrize(
    ("shape", "count"),
    [
        ({"points": SQUARE}, 9),  # a file without shape_type, group_id and flags
        ({"points": SQUARE, "shape_type": "polygon"}, 9),
        ({"points": [[1, 1], [3, 3]], "shape_type": "rectangle"}, 9),
        ({"points": SQUARE, "shape_type": "rectangle"}, 9),  # X-AnyLabeling of 2.2 and later
        ({"points": SQUARE, "shape_type": "rotation"}, 9),
        ({"points": [[4, 4], [5, 4]], "shape_type": "circle"}, 9),
    ],
)
def test_kinds_of_shapes(save: Save, shape: dict[str, Any], count: int) -> None:
    found = drawn(save({"label": "dog"} | shape))
    assert abs(len(found) - count) <= (4 if shape.get("shape_type") == "circle" else 0)


def test_what_is_no_area_is_counted(save: Save) -> None:
    kinds = ["line", "linestrip", "point", "points", "cuboid"]
    found = read_annotations(
        save(*({"label": "a", "points": [[1, 1]], "shape_type": kind} for kind in kinds))
    )
    assert found.left_out == dict.fromkeys(kinds, 1)
    assert not found.videos[0].frames[0].empty  # somebody drew something
    assert read_annotations(save()).videos[0].frames[0].empty


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("..\\files\\00000.png", "00000.png"),
        ("other.jpg", "00000.jpg"),
        (None, "00000.jpg"),
        ("x/00000.jpeg", "00000.jpeg"),
    ],
)
def test_the_name_of_the_file_counts_where_image_path_is_stale(
    save: Save, path: str | None, name: str
) -> None:
    assert read_annotations(save(imagePath=path)).videos[0].frames[0].key.name == name


def test_a_file_may_be_named_after_its_whole_image(save: Save) -> None:
    path = save(name="00000.jpg.json", imagePath="00000.jpg")
    assert read_annotations(path).videos[0].frames[0].key.name == "00000.jpg"


def test_groups_are_tracks_if_each_has_one_label_throughout(save: Save) -> None:
    dog, cat = ({"label": label, "points": SQUARE, "group_id": 4} for label in ("dog", "cat"))
    save(dog, name="00000.json")
    folder = save(dog, name="00001.json", imagePath="00001.jpg")
    tracks = [frame.shapes[0].track for frame in read_annotations(folder).videos[0].frames]
    assert tracks == ["4", "4"]
    save(cat, name="00001.json", imagePath="00001.jpg")
    tracks = [frame.shapes[0].track for frame in read_annotations(folder).videos[0].frames]
    assert tracks == [None, None]


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ({"points": [[1, 1], [2, 2], [3, 3]], "shape_type": "circle"}, "the centre of a circle"),
        ({"points": SQUARE, "shape_type": "star"}, "polygon, rectangle, circle, mask"),
        ({"points": [[1, 2, 3]] * 3}, r"expected \[x, y\]"),
        (mask([[1, 1]]), "the two corners of a mask"),
        (mask([[1e12, 1], [2, 2]]), "corners near the image"),
    ],
)
def test_what_cannot_be_read_is_refused(save: Save, shape: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=rf"00000\.json: shapes\[0\].*{words}"):
        read_annotations(save({"label": "dog"} | shape))


@pytest.mark.parametrize("seed", range(8))
def test_polygons_for_x_anylabeling_have_the_outline_by_pils_rule(seed: int) -> None:
    """Parts without holes and not thinner than two pixels come back exactly, by LabelMe's own rasteriser."""
    blocks = np.random.default_rng(seed).random((5, 6)) < 0.5
    drawn = np.repeat(np.repeat(blocks, 3, 0), 3, 1)
    ((_, text),) = write_labelme(annotations_of([{1: drawn}]), masks=False)
    shapes = json.loads(text)["shapes"]
    found = np.zeros(drawn.shape, bool)
    for shape in shapes:
        ring = [value for point in shape["points"] for value in point]
        found |= pil_polygon(ring, "")(drawn.shape)  # type: ignore[arg-type]
    holes = np.zeros(drawn.shape, bool)
    for part in trace_parts(drawn):
        assert inner_ring(part)
        for hole in part.holes:
            xs, ys = zip(*hole, strict=True)
            holes[min(ys) : max(ys), min(xs) : max(xs)] = True
    assert not (drawn & ~found).any()
    assert not (found & ~drawn & ~holes).any()
