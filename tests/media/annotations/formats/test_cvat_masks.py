"""Class pictures: colours, indices, the background, and things of one class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vsodtool.errors import DataError
from vsodtool.media.annotations.model import FrameLabels
from vsodtool.media.annotations.reading import read_annotations

SIZE = (2, 4)
MAP = "# label:color_rgb:parts:actions\nbackground:0,0,0::\ndog:200,0,0::\ncat:0,200,0::\n"


def put(root: Path, name: str, values: Any, folder: str = "SegmentationClass") -> None:
    path = root / folder / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(values, np.uint8)).save(path)


def colours(*codes: tuple[int, int, int]) -> Any:
    return np.array([codes, codes], np.uint8)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "labelmap.txt").write_text(MAP, "utf-8")
    put(tmp_path, "a", colours((0, 0, 0), (200, 0, 0), (0, 200, 0), (0, 200, 0)))
    return tmp_path


def frame(root: Path) -> FrameLabels:
    return read_annotations(root).videos[0].frames[0]


def drawn(root: Path) -> dict[str, list[int]]:
    return {shape.category: np.flatnonzero(shape.draw(SIZE)[0]).tolist() for shape in frame(root).shapes}


def test_colours_are_classes(root: Path) -> None:
    assert drawn(root) == {"dog": [1], "cat": [2, 3]}
    assert {one.name: one.color for one in read_annotations(root).categories} == {
        "dog": "#c80000",
        "cat": "#00c800",
    }
    put(root, "a", colours(*[(0, 0, 0)] * 4))
    assert frame(root).empty


def test_grey_values_are_places_in_the_map(root: Path) -> None:
    put(root, "a", [[0, 1, 2, 2]] * 2)
    assert drawn(root) == {"dog": [1], "cat": [2, 3]}
    put(root, "a", [[0, 1, 2, 3]] * 2)
    with pytest.raises(DataError, match=r"a\.png: expected indices below 3, .* found 3"):
        read_annotations(root)


def test_a_background_that_is_not_black(root: Path) -> None:
    (root / "labelmap.txt").write_text(MAP.replace(":0,0,0", ":255,255,255"), "utf-8")
    put(root, "a", colours((255, 255, 255), (200, 0, 0), (255, 255, 255), (0, 200, 0)))
    assert drawn(root) == {"dog": [1], "cat": [3]}


def test_things_of_one_class_are_shapes_of_their_own(root: Path) -> None:
    things = colours((0, 0, 0), (128, 0, 0), (0, 128, 0), (0, 0, 128))
    put(root, "a", things, "SegmentationObject")
    shapes = frame(root).shapes
    assert sorted(shape.category for shape in shapes) == ["cat", "cat", "dog"]
    assert sorted(np.flatnonzero(shape.draw(SIZE)[0]).tolist() for shape in shapes) == [[1], [2], [3]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("dog:200,0\n", "line 1: expected name:red,green,blue, found 'dog:200,0'"),
        ("dog:200,0,256\n", "line 1: expected name"),
        ("dog:²,0,0\n", "line 1: expected name"),
        ("dog:200,0,0\n", r"colours of labelmap\.txt, found #00c800 \(4 pixels\)"),
    ],
)
def test_maps_that_do_not_fit_are_refused(root: Path, text: str, words: str) -> None:
    (root / "labelmap.txt").write_text(text, "utf-8")
    with pytest.raises(DataError, match=words):
        read_annotations(root)


def test_without_a_map_nothing_is_guessed(root: Path) -> None:
    (root / "labelmap.txt").unlink()
    with pytest.raises(DataError, match=r"expected labelmap\.txt beside SegmentationClass"):
        read_annotations(root)
