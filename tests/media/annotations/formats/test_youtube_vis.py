"""YouTube-VIS: an entry for each object, a segmentation or null for each frame."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vsodtool.errors import DataError
from vsodtool.media.annotations.model import ReadOptions
from vsodtool.media.annotations.reading import read_annotations

SIZE = (8, 10)
Edit = Callable[[Callable[[Any], object]], Path]


@pytest.fixture
def edit(golden: Path, tmp_path: Path) -> Edit:
    def change(how: Callable[[Any], object]) -> Path:
        loaded = json.loads((golden / "youtube-vis" / "instances.json").read_text("utf-8"))
        how(loaded)
        (tmp_path / "instances.json").write_text(json.dumps(loaded), "utf-8")
        return tmp_path / "instances.json"

    return change


def segment(value: Any) -> Callable[[Any], object]:
    return lambda content: content["annotations"][0]["segmentations"].__setitem__(0, value)


def test_null_says_nothing_and_a_track_is_an_entry(golden: Path) -> None:
    (video,) = read_annotations(golden / "youtube-vis").videos
    assert video.name == "clip"
    assert [[shape.track for shape in frame.shapes] for frame in video.frames] == [["1", "2"], ["1"], []]
    assert not any(frame.empty for frame in video.frames)


@pytest.mark.parametrize(
    "value",
    [
        [[2, 1, 4, 1, 4, 3, 2, 3]],
        {"size": [8, 10], "counts": [17, 2, 6, 2, 53]},
        {"size": [8, 10], "counts": "a0260_1"},
    ],
)
def test_segmentations_of_every_kind(edit: Edit, value: Any) -> None:
    shape = read_annotations(edit(segment(value))).videos[0].frames[0].shapes[0]
    assert np.argwhere(shape.draw(SIZE)).tolist() == [[1, 2], [1, 3], [2, 2], [2, 3]]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (lambda content: content["annotations"][0].update(video_id=9), "one of the videos, found 9"),
        (lambda content: content["annotations"][0].update(category_id=9), "one of the categories, found 9"),
        (lambda content: content["annotations"][0]["segmentations"].pop(), r"expected 3 of them, .*2 found"),
        (segment([[1, 1, 2, 2]]), "at least 3 points"),
        (segment({"size": [10, 8], "counts": []}), "swapped"),
        (segment("i12607"), r"a list \[\.\.\.\]"),
    ],
)
def test_what_does_not_fit_is_refused(edit: Edit, how: Callable[[Any], object], words: str) -> None:
    with pytest.raises(DataError, match=rf"instances\.json: annotations\[0\].*{words}"):
        read_annotations(edit(how))


def test_a_bad_segmentation_can_be_left_out(edit: Edit) -> None:
    found = read_annotations(edit(segment([[1, 1, 2, 2]])), options=ReadOptions(skip_bad=True))
    assert found.left_out["unreadable"] == 1
    assert [shape.track for shape in found.videos[0].frames[0].shapes] == ["2"]
