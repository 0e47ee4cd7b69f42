"""Annotations as label images: palettes, names that come back, lines that tell what was taken."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.media.annotations.clips import Clip
from vsodtool.errors import DataError
from vsodtool.media.annotations.label_images import (
    Reading,
    describe_overlaps,
    label_png,
    objects_json,
    palette_of,
    read_labels,
    read_objects_json,
    voc_colour,
    write_label_images,
)
from vsodtool.media.annotations.model import FrameKey, FrameLabels, Shape
from vsodtool.media.annotations.objects import ObjectInfo, ObjectRule, identify
from vsodtool.types import LabelArray

SIZE = (8, 10)


def test_colours_are_those_of_voc() -> None:
    """The first ones of VOC's map, as its development kit prints it."""
    expected = [(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0), (0, 0, 128)]
    assert [tuple(voc_colour(number)) for number in range(5)] == expected
    assert tuple(voc_colour(255)) == (224, 224, 192)


def test_palettes_have_the_files_own_colours_where_these_are_colours() -> None:
    infos = [
        ObjectInfo(1, "a", "a", "", "#33DDff"),
        *(ObjectInfo(n, "b", "b", "", "#zzzzzz") for n in (2, 3)),
    ]
    palette = palette_of(infos)
    assert palette is not None
    assert palette.colours[3:12] == bytes((0x33, 0xDD, 0xFF, 0, 128, 0, 128, 128, 0))
    assert palette_of([ObjectInfo(255, "a", "a")]) is None  # 255 is the void of palettes


def test_label_images_are_the_truth(golden: Path, tmp_path: Path, truth: dict[int, LabelArray]) -> None:
    labelled = read_labels(golden / "coco" / "compressed.json", [Clip(is_file=False)], Reading())
    assert write_label_images(labelled, {"clip": SIZE}, tmp_path) == []
    for number in (0, 2):
        image = Image.open(tmp_path / "clip" / f"{number:05d}.png")
        assert image.mode == "P"
        np.testing.assert_array_equal(np.asarray(image), truth[number])
    assert sorted(path.name for path in tmp_path.rglob("*.png")) == ["00000.png", "00002.png"]


def test_large_ids_are_written_in_16_bits() -> None:
    shapes = tuple(
        Shape("x", lambda size, at=at: np.arange(4).reshape(2, 2) == at, "", track=str(300 + at))  # type: ignore[misc]
        for at in range(4)
    )
    frame = FrameLabels(FrameKey("0"), shapes)
    data, covered = label_png(identify({"v": [frame]}, [], ObjectRule())["v"], frame, (2, 2))
    assert np.asarray(Image.open(io.BytesIO(data))).tolist() == [[300, 301], [302, 303]]
    assert covered == 0


def test_lines_tell_what_was_taken(golden: Path) -> None:
    labelled = read_labels(
        golden / "cvat" / "images.xml",
        [Clip(is_file=False)],
        Reading(objects=ObjectRule(classes=frozenset({"dog"}))),
    )
    assert labelled.describe() == [
        "images.xml: cvat, 2 frames of 'clip', frame_000000 ... frame_000002 -> 00000 ... 00002 (by number), "
        "1 object (dog), 2 shapes",
        "images.xml: left out: 1 of other classes",
    ]
    assert describe_overlaps({"a": [0, 3, 4], "b": [0], "c": [1]}) == [
        "a: objects overlap in 2 frames, 7 pixels: the upper one counts",
        "c: objects overlap in 1 frame, 1 pixels: the upper one counts",
    ]


def test_classes_that_nothing_has_are_refused(golden: Path) -> None:
    reading = Reading(objects=ObjectRule(classes=frozenset({"dog", "cat"})))
    with pytest.raises(DataError, match="expected the classes cat, dog, found ball, dog"):
        reading.read(golden / "coco" / "compressed.json")


def test_names_come_back(golden: Path, tmp_path: Path) -> None:
    labelled = read_labels(golden / "coco" / "compressed.json", [Clip(is_file=False)], Reading())
    path = tmp_path / "objects.json"
    path.write_bytes(objects_json([labelled]))
    assert read_objects_json(path) == {
        "clip": {1: ObjectInfo(1, "dog", "dog", "1"), 2: ObjectInfo(2, "ball", "ball", "2")}
    }
    assert json.loads(path.read_bytes())["format"] == "coco"
    assert read_objects_json(tmp_path / "none.json") == {}
    for damage in (
        "{",
        "{}",
        '{"videos": []}',
        '{"videos": {"a": [{"id": 1}]}}',
        '{"videos": {"a": [{"id": "x"}]}}',
    ):
        path.write_text(damage, "utf-8")
        with pytest.raises(DataError, match=r"objects\.json: expected names of objects, found damage"):
            read_objects_json(path)
