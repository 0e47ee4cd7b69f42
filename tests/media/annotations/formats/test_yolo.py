"""YOLO's lines: names of classes, rounding, boxes, what is empty."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vsodtool.errors import DataError
from vsodtool.media.annotations.model import ReadOptions
from vsodtool.media.annotations.reading import read_annotations

SIZE = (8, 10)
SQUARE = "0 0.2 0.125 0.4 0.125 0.4 0.375 0.2 0.375\n"  # the four pixels at x 2-3, y 1-2
Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def write(text: str = SQUARE, names: str = "", file: str = "data.yaml", label: str = "a.v2") -> Path:
        folder = tmp_path / "set" / "labels" / "train"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{label}.txt").write_text(text, "utf-8")
        if names:
            (tmp_path / "set" / file).write_text(names, "utf-8")
        return tmp_path / "set"

    return write


@pytest.mark.parametrize(
    ("names", "file", "title"),
    [
        ("names: [dog, cat]\n", "data.yaml", "dog"),
        ("names:\n  0: dog\n  1: cat\n", "data.yaml", "dog"),
        ("names: {'0': dog}\n", "dataset.yaml", "dog"),
        ("dog\ncat\n", "classes.txt", "dog"),
        ("", "", "class_0"),
    ],
)
def test_names_of_classes(save: Save, names: str, file: str, title: str) -> None:
    (video,) = read_annotations(save(names=names, file=file)).videos
    (frame,) = video.frames
    assert frame.key.stem == "a.v2"
    assert [shape.category for shape in frame.shapes] == [title]
    assert np.argwhere(frame.shapes[0].draw(SIZE)).tolist() == [[1, 2], [1, 3], [2, 2], [2, 3]]


def test_an_empty_file_says_that_nothing_is_there(save: Save) -> None:
    assert read_annotations(save(" \n")).videos[0].frames[0].empty


def test_boxes_are_masks_on_request_only(save: Save) -> None:
    path = save("0 0.3 0.25 0.2 0.25\n")
    found = read_annotations(path)
    assert found.left_out == {"box": 1}
    assert not found.videos[0].frames[0].empty
    (shape,) = read_annotations(path, options=ReadOptions(boxes=True)).videos[0].frames[0].shapes
    assert np.count_nonzero(shape.draw(SIZE)) == 4


def test_rounding_beyond_the_border_is_cut_off(save: Save) -> None:
    (shape,) = read_annotations(save("0 -0.009 0 1.009 0 1.009 1 -0.009 1\n")).videos[0].frames[0].shapes
    assert shape.draw(SIZE).all()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("0 0.1 0.1 0.9 0.1 0.5 0.5 7", "expected a class and pairs of coordinates, found 7 numbers"),
        ("0 0.1 0.1 1.02 0.1 0.5 0.5", "expected shares of the image, 0 to 1, found 1.02"),
        ("0 0.1 0.1 nan 0.1 0.5 0.5", "expected shares of the image"),
        ("7 0.1 0.1 0.9 0.1 0.5 0.5", "expected a class of 0 to 1, found 7"),
        ("dog 0.1 0.1 0.9 0.1 0.5 0.5", "expected a class and numbers"),
        ("0 0.1 0.1 0.9", "at least 3 points"),
    ],
)
def test_lines_that_are_none_are_refused(save: Save, line: str, words: str) -> None:
    path = save(f"{SQUARE}{line}\n", "names: [dog, cat]\n")
    with pytest.raises(DataError, match=rf"a\.v2\.txt: line 2: .*{words}"):
        read_annotations(path)
    found = read_annotations(path, options=ReadOptions(skip_bad=True))
    assert (len(found.videos[0].frames[0].shapes), found.left_out["unreadable"]) == (1, 1)


def test_damaged_names_are_refused(save: Save) -> None:
    with pytest.raises(DataError, match=r"data\.yaml: expected YAML, found damage"):
        read_annotations(save(names="names: ["))


def test_a_byte_order_mark_is_no_part_of_a_class(save: Save) -> None:
    path = save(names="\ufeffdog\ncat\n", file="classes.txt")
    assert [category.name for category in read_annotations(path).categories] == ["dog", "cat"]


def test_a_byte_order_mark_does_not_hide_the_format(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(SQUARE, "utf-8-sig")
    assert read_annotations(tmp_path).format == "yolo"
