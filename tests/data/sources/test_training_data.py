from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vsodtool.data.sources.labelled import LabelledVideo
from vsodtool.data.sources.training_data import (
    DataSpec,
    TrainingData,
    describe_split,
    load_training_data,
    tell_apart,
)
from vsodtool.data.sources.validation_split import split_videos
from vsodtool.errors import ConfigError, DataError

Disks = Callable[[str], Any]
Nowhere = Callable[..., LabelledVideo]


def load(tmp_path: Path, *data: object, **more: Any) -> TrainingData:
    return load_training_data(DataSpec(data=tuple(map(str, data)), **more), cache=tmp_path / "cache")


def counts(data: TrainingData) -> dict[str, tuple[int, int]]:
    """Per video the numbers of given and of pseudo-labelled frames, training and validation together."""
    found: dict[str, tuple[int, int]] = {}
    for video in (*data.train, *data.validation):
        given, pseudo = found.get(video.name, (0, 0))
        found[video.name] = (given + len(video.given), pseudo + len(video.frames) - len(video.given))
    return found


def test_several_sources_at_once(tmp_path: Path, disk: Disks) -> None:
    data = load(tmp_path, disk("d").davis(["a", "b"]), disk("s").stills(5))
    assert {video.stills for video in data.train} == {True, False}
    assert {video.stills for video in data.validation} == {True, False}


def test_own_validation_data(tmp_path: Path, disk: Disks) -> None:
    root, other = disk("d").davis(["a"]), disk("e").davis(["a"])
    data = load(tmp_path, root, validation=(str(other),))
    assert [len(video.frames) for video in (*data.train, *data.validation)] == [8, 8]
    with pytest.raises(DataError, match="8 frames are in the training and in the validation data"):
        load(tmp_path, root, validation=(str(root),))


@pytest.mark.parametrize(
    ("every", "masks", "told"),
    [
        (1, 12, "1 frame"),
        (1, 70, "1 frame"),  # masks in the gap validate, too
        (3, 12, "3 frames"),
        (4, 20, "4 frames"),
        (5, 12, None),
        (9, 20, None),
    ],
)
def test_a_narrow_gap_beside_what_is_set_aside_is_told(
    nowhere: Nowhere, every: int, masks: int, told: str | None
) -> None:
    train, validation = split_videos([nowhere(range(0, every * masks, every))], 0.1, 0, stretches=True)
    line = describe_split(train, validation)
    stretches = [video for video in validation if video.given]
    assert line.count("that is trained on") == (len(stretches) if told else 0)
    assert told is None or line.count(f"({told} from the next that is trained on)") == len(stretches)


def test_the_fingerprint_follows_files_and_split(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a", "b", "c", "d"])
    first = load(tmp_path, root).fingerprint
    assert load(tmp_path, root).fingerprint == first
    assert load(tmp_path, root, label_every=2).fingerprint != first
    os.utime(root / "Annotations/a/00000.png", (1, 1))
    assert load(tmp_path, root).fingerprint != first


# Bad input: each is refused with what was expected and found.


def test_every_mask_without_a_frame_is_counted_and_three_are_named(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a", "b"])
    for number in (1, 2, 3):
        (root / f"JPEGImages/a/{number:05d}.png").unlink()
    shutil.rmtree(root / "JPEGImages/b")
    with pytest.raises(DataError) as refused:
        load(tmp_path, root)
    assert re.fullmatch(
        r"mask without a frame: 11 \(\S+a/00001.png, \S+a/00002.png, \S+a/00003.png, \.\.\.\)",
        refused.value.message,
    )
    assert refused.value.exit_code == 3


def test_no_validation_data(tmp_path: Path, disk: Disks) -> None:
    with pytest.raises(DataError, match="no validation data: expected at least 2 given masks, found 1"):
        load(tmp_path, disk("d").davis(["a"], labelled=(2,)))


def test_no_data_given() -> None:
    with pytest.raises(ConfigError, match="no training data given"):
        DataSpec(data=())
    with pytest.raises(ConfigError, match="validation_share"):
        DataSpec(data=("a",), validation_share=1.0)


def test_real_images_and_videos(tmp_path: Path, shared: Path) -> None:
    data = load(
        tmp_path,
        shared / "data" / "sod",
        f"{shared / 'data/videos/chair.mp4'}::{shared / 'data/videos/chair_masks'}",
    )
    assert counts(data) == {"images": (300, 0), "chair": (60, 0)}
    assert len(list((tmp_path / "cache").rglob("*.jpg"))) == 60


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


def test_a_video_file_beside_pictures_is_named(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a", "b"])
    (root / "JPEGImages" / "c.mp4").write_bytes(b"")
    assert any("not c.mp4 beside" in line for line in load(tmp_path, root).notices)
