"""Label Studio's tasks: which annotation counts, where labels and images stand, what regions are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vsodtool.errors import DataError
from vsodtool.media.annotations.formats.rle_pack import pack_mask
from vsodtool.media.annotations.model import (
    Annotations,
    FrameLabels,
    ReadOptions,
)
from vsodtool.media.annotations.pictures import to_base64, transparent_png
from vsodtool.media.annotations.reading import read_annotations

SIZE = (8, 10)
Save = Callable[..., Path]
SQUARE = np.zeros(SIZE, bool)
SQUARE[1:3, 2:4] = True


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def write(*tasks: dict[str, Any]) -> Path:
        path = tmp_path / "export.json"
        path.write_text(json.dumps([task() | more for more in tasks]), "utf-8")
        return path

    return write


def task(**more: Any) -> dict[str, Any]:
    return {"id": 1, "data": {"image": "/data/upload/1/a1b2c3d4-a.jpg"}, "annotations": []} | more


def said(*results: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"was_cancelled": False, "ground_truth": False, "result": list(results)} | more


def region(kind: str, value: dict[str, Any], **more: Any) -> dict[str, Any]:
    known = {"id": "r1", "type": kind, "original_width": 10, "original_height": 8, "image_rotation": 0}
    return known | {"value": value} | more


def brush(label: str = "dog", **more: Any) -> dict[str, Any]:
    return region("brushlabels", {"format": "rle", "rle": pack_mask(SQUARE), "brushlabels": [label]}, **more)


def frame(annotations: Annotations) -> FrameLabels:
    return annotations.videos[0].frames[0]


@pytest.mark.parametrize(
    "results",
    [
        [brush()],
        [
            region("brush", {"format": "rle", "rle": pack_mask(SQUARE)}),
            region("labels", {"labels": ["dog"]}),
        ],
        [
            region(
                "bitmasklabels",
                {
                    "imageDataURL": "data:image/png;base64," + to_base64(transparent_png(SQUARE)),
                    "bitmasklabels": ["dog"],
                },
            )
        ],
        [
            region(
                "polygonlabels",
                {"points": [[20, 12.5], [40, 12.5], [40, 37.5], [20, 37.5]], "polygonlabels": ["dog"]},
            )
        ],
    ],
)
def test_regions_of_every_kind_give_the_square(save: Save, results: list[dict[str, Any]]) -> None:
    found = frame(read_annotations(save({"annotations": [said(*results)]})))
    assert [shape.category for shape in found.shapes] == ["dog"]
    np.testing.assert_array_equal(found.shapes[0].draw(SIZE), SQUARE)
    assert found.key.size == SIZE


def test_boxes_and_ellipses(save: Save) -> None:
    box = region(
        "rectanglelabels", {"x": 20, "y": 12.5, "width": 20, "height": 25, "rectanglelabels": ["dog"]}
    )
    ellipse = region(
        "ellipselabels", {"x": 50, "y": 50, "radiusX": 20, "radiusY": 25, "ellipselabels": ["dog"]}, id="r2"
    )
    path = save({"annotations": [said(box, ellipse)]})
    found = read_annotations(path)
    assert found.left_out == {"box": 1}
    assert abs(np.count_nonzero(frame(found).shapes[0].draw(SIZE)) - np.pi * 4) < 2.5
    both = frame(read_annotations(path, options=ReadOptions(boxes=True))).shapes
    np.testing.assert_array_equal(both[0].draw(SIZE), SQUARE)
    box["value"]["rotation"] = 30
    with pytest.raises(DataError, match="a box that is not turned"):
        read_annotations(save({"annotations": [said(box)]}), options=ReadOptions(boxes=True))


def test_ground_truth_counts_first_then_the_last(save: Save) -> None:
    old, new = brush("old"), brush("new")
    first = said(old, updated_at="2026-01-01T00:00:00Z")
    second = said(new, updated_at="2026-02-01T00:00:00Z")
    skipped = said(brush("skipped"), was_cancelled=True, updated_at="2026-03-01T00:00:00Z")
    for several, expected in (
        ([second, first, skipped], "new"),
        ([second, first | {"ground_truth": True}], "old"),
    ):
        assert frame(read_annotations(save({"annotations": several}))).shapes[0].category == expected


def test_predictions_count_on_request_where_there_is_no_annotation(save: Save) -> None:
    made = {"predictions": [{"score": 0.25, "result": [brush("made")]}]}
    path = save(made)
    annotations = read_annotations(path)
    told = "task without an annotation (it has predictions: --predictions takes them)"
    assert annotations.left_out == {told: 1}
    assert not annotations.videos[0].frames
    (shape,) = frame(read_annotations(path, options=ReadOptions(predictions=True))).shapes
    assert (shape.category, shape.score) == ("made", 0.25)
    path = save(made | {"annotations": [said(brush("drawn"))]})
    (shape,) = frame(read_annotations(path, options=ReadOptions(predictions=True))).shapes
    assert (shape.category, shape.score) == ("drawn", None)


def test_nothing_in_a_finished_task_means_nothing_there(save: Save) -> None:
    assert frame(read_annotations(save({"annotations": [said()]}))).empty


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"image": "/data/local-files/?d=clips/a%20b.jpg"}, "clips/a b.jpg"),
        ({"image": "s3://bucket/x/a.jpg"}, "/x/a.jpg"),
        ({"image": "https://host/a.jpg?token=1"}, "/a.jpg"),
        ({"text": "a note", "my_picture": "up/a.jpg"}, "up/a.jpg"),
    ],
)
def test_where_images_stand(save: Save, data: dict[str, str], name: str) -> None:
    assert frame(read_annotations(save({"data": data, "annotations": [said(brush())]}))).key.name == name


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"image_rotation": 90}, "image_rotation.*an image that was not turned"),
        ({"value": {"brushlabels": ["dog"]}}, "'rle' or 'imageDataURL'"),
        ({"value": {"brushlabels": ["dog"], "imageDataURL": "http://x"}}, "begins with data:image/png"),
        ({"value": {"rle": [1, 2], "format": "rle"}}, "a region with a label"),
        ({"original_width": 0}, "a whole number from 1"),
    ],
)
def test_what_cannot_be_read_is_refused(save: Save, broken: dict[str, Any], words: str) -> None:
    path = save({"annotations": [said(brush(), brush(id="r2") | broken)]})
    with pytest.raises(DataError, match=words):
        read_annotations(path)
    annotations = read_annotations(path, options=ReadOptions(skip_bad=True))
    assert (len(frame(annotations).shapes), annotations.left_out["unreadable"]) == (1, 1)


def test_numbers_instead_of_annotations_are_another_export(save: Save) -> None:
    with pytest.raises(DataError, match="annotations with results") as caught:
        read_annotations(save({"annotations": [7]}))
    assert "choose JSON" in caught.value.hint
