"""BURST's sequences: references, explicit emptiness, codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vsodtool.errors import DataError
from vsodtool.media.annotations.model import ReadOptions
from vsodtool.media.annotations.reading import read_annotations

Edit = Callable[[Callable[[Any], object]], Path]


@pytest.fixture
def edit(golden: Path, tmp_path: Path) -> Edit:
    def change(how: Callable[[Any], object]) -> Path:
        loaded = json.loads((golden / "burst" / "all_classes.json").read_text("utf-8"))
        how(loaded["sequences"][0])
        (tmp_path / "burst.json").write_text(json.dumps(loaded), "utf-8")
        return tmp_path / "burst.json"

    return change


def test_tracks_and_frames_that_are_empty(golden: Path) -> None:
    (video,) = read_annotations(golden / "burst").videos
    assert video.name == "clip"
    assert [frame.empty for frame in video.frames] == [False, False, True]
    assert [(shape.category, shape.track) for shape in video.frames[0].shapes] == [
        ("dog", "1"),
        ("ball", "2"),
    ]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (lambda one: one["segmentations"].append({}), r"segmentations: expected 3 of them, .* \(4 found\)"),
        (lambda one: one["track_category_ids"].pop("2"), "track_category_ids to name the track 2"),
        (lambda one: one["track_category_ids"].update({"2": 9}), "one of the categories, found 9"),
        (lambda one: one.update(width=0), "a whole number from 1"),
        (lambda one: one["segmentations"][0]["1"].pop("rle"), "expected the entry 'rle'"),
    ],
)
def test_what_does_not_fit_is_refused(edit: Edit, how: Callable[[Any], object], words: str) -> None:
    with pytest.raises(DataError, match=rf"burst\.json: sequences\[0\].*{words}"):
        read_annotations(edit(how))


def test_a_damaged_code_is_refused_when_it_is_drawn_and_left_out_on_request(edit: Edit) -> None:
    path = edit(lambda one: one["segmentations"][0]["2"].update(rle="i12608"))
    shape = read_annotations(path).videos[0].frames[0].shapes[1]
    with pytest.raises(DataError, match=r"segmentations\[0\]\.2\.rle: expected runs of 80 pixels"):
        shape.draw((8, 10))
    found = read_annotations(path, options=ReadOptions(skip_bad=True))
    assert (len(found.videos[0].frames[0].shapes), found.left_out["unreadable"]) == (1, 1)
