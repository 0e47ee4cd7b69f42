"""COCO as tools write it: encodings, identities, numbers of frames, several files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vsodtool.errors import DataError
from vsodtool.media.annotations.model import ReadOptions, Shape
from vsodtool.media.annotations.reading import read_annotations

SIZE = (8, 10)
Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def write(
        *annotations: dict[str, Any], name: str = "a.json", image: dict[str, Any] | None = None
    ) -> Path:
        content = {
            "images": [{"id": 4, "file_name": "a.jpg", "width": 10, "height": 8} | (image or {})],
            "categories": [{"id": 9, "name": "dog"}],
            "annotations": [{"image_id": 4, "category_id": 9} | entry for entry in annotations],
        }
        (tmp_path / name).write_text(json.dumps(content), "utf-8")
        return tmp_path / name

    return write


def shapes(path: Path, options: ReadOptions | None = None) -> tuple[Shape, ...]:
    return read_annotations(path, options=options).videos[0].frames[0].shapes


SQUARE = [2, 1, 4, 1, 4, 3, 2, 3]  # the four pixels at x 2-3, y 1-2


@pytest.mark.parametrize("crowd", [0, 1])
@pytest.mark.parametrize(
    "segmentation",
    [
        [SQUARE],
        SQUARE,
        {"size": [8, 10], "counts": [17, 2, 6, 2, 53]},
        {"size": [8, 10], "counts": "a0260_1"},
    ],
)
def test_the_type_says_the_encoding_never_iscrowd(save: Save, segmentation: Any, crowd: int) -> None:
    (shape,) = shapes(save({"segmentation": segmentation, "iscrowd": crowd}))
    assert np.argwhere(shape.draw(SIZE)).tolist() == [[1, 2], [1, 3], [2, 2], [2, 3]]


@pytest.mark.parametrize(
    ("entry", "track"),
    [
        ({"track_id": 3}, "3"),
        ({"instance_id": "b"}, "b"),
        ({"object_id": 0}, "0"),
        ({"attributes": {"track_id": 7, "occluded": False}}, "7"),
        ({"id": 5, "attributes": None}, None),
    ],
)
def test_who_is_who(save: Save, entry: dict[str, Any], track: str | None) -> None:
    (shape,) = shapes(save({"segmentation": [SQUARE]} | entry))
    assert shape.track == track


def test_numbers_of_frames_and_scores(save: Save) -> None:
    path = save({"segmentation": [SQUARE], "score": 0.25}, image={"frame_index": 6})
    frame = read_annotations(path).videos[0].frames[0]
    assert (frame.key.number, frame.key.size, frame.shapes[0].score) == (6, SIZE, 0.25)
    path = save({"segmentation": [SQUARE]}, image={"width": None, "height": None})
    assert read_annotations(path).videos[0].frames[0].key.size is None


def test_boxes_are_masks_on_request_only(save: Save) -> None:
    path = save({"bbox": [2, 1, 2, 2], "segmentation": []}, {"area": 3})
    annotations = read_annotations(path)
    assert annotations.left_out == {"box": 1, "without a shape": 1}
    (shape,) = shapes(path, ReadOptions(boxes=True))
    assert (shape.kind, np.count_nonzero(shape.draw(SIZE))) == ("box", 4)


def test_a_folder_of_files_is_read_one_after_the_other(save: Save, tmp_path: Path) -> None:
    save({"segmentation": [SQUARE]}, name="instances_train.json")
    save({"segmentation": [SQUARE]}, name="instances_val.json", image={"file_name": "b.jpg"})
    found = read_annotations(tmp_path)
    assert [frame.key.name for video in found.videos for frame in video.frames] == ["a.jpg", "b.jpg"]


def test_ids_are_there_once(save: Save) -> None:
    path = save()
    for key, words in (
        ("images", "an id of its own for each image"),
        ("categories", "4 is taken|9 is taken"),
    ):
        content = json.loads(path.read_text("utf-8"))
        content[key] *= 2
        path.write_text(json.dumps(content), "utf-8")
        with pytest.raises(DataError, match=words):
            read_annotations(path)
        save()
