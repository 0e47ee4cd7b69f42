from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from vsodtool.data.sources.labelled import LabelledVideo
from vsodtool.data.sources.video_names import tell_apart

Nowhere = Callable[..., LabelledVideo]


def names(nowhere: Nowhere, *places: str) -> list[str]:
    videos = [replace(nowhere([0], name=Path(place).name), place=Path(place)) for place in places]
    return [video.name for group in tell_apart([videos[:1], videos[1:]]) for video in group]


def test_names_of_their_own_stay(nowhere: Nowhere) -> None:
    assert names(nowhere, "/x/a", "/x/b") == ["a", "b"]


def test_equal_names_get_their_folders(nowhere: Nowhere) -> None:
    assert names(nowhere, "/x/sod/images", "/x/duts/images", "/x/bear") == [
        "sod/images",
        "duts/images",
        "bear",
    ]
    assert names(nowhere, "/p/sod/images", "/q/sod/images") == ["p/sod/images", "q/sod/images"]


def test_the_same_frames_keep_one_name(nowhere: Nowhere) -> None:
    assert names(nowhere, "/x/a", "/x/a", "/y/a") == ["x/a", "x/a", "y/a"]


def test_two_video_files_of_one_stem_in_one_folder(nowhere: Nowhere) -> None:
    videos = [replace(nowhere([0], name="v"), place=Path(place)) for place in ("/x/v.mp4", "/x/v.avi")]
    assert [video.name for video in tell_apart([videos])[0]] == ["x/v.mp4", "x/v.avi"]
