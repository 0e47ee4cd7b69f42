"""Annotation files as training data: images beside them, in the zip or named; else refused."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from vsodtool.data.sources.labelled import LabelledVideo
from vsodtool.data.sources.training_data import DataSpec, TrainingData, load_training_data
from vsodtool.errors import DataError
from vsodtool.media.annotations.label_images import Reading
from vsodtool.media.annotations.mapping import MatchRule

GOLDEN = Path(__file__).parents[2] / "media" / "annotations" / "golden"


def picture(path: Path, size: tuple[int, int] = (8, 10)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(len(path.name)).integers(0, 255, (*size, 3), dtype=np.uint8)
    assert cv2.imwrite(str(path), values)
    return path


def load(tmp_path: Path, *data: Any, reading: Reading | None = None) -> TrainingData:
    spec = DataSpec(data=tuple(map(str, data)), validation_share=0.5, reading=reading or Reading())
    return load_training_data(spec, cache=tmp_path / "cache")


def frames_of(data: TrainingData) -> dict[str, Any]:
    """Name of a frame -> where its label is set."""
    videos: tuple[LabelledVideo, ...] = data.train + data.validation
    return {frame.name: np.asarray(Image.open(frame.mask)) > 0 for video in videos for frame in video.frames}


def truth(number: int) -> Any:
    return np.asarray(Image.open(GOLDEN / "truth" / f"{number:05d}.png")) > 0


def put(tmp_path: Path, source: str, images: str, suffix: str = "jpg", frames: range = range(5)) -> Path:
    """A copy of golden annotations, and images of all frames in a folder of the copy."""
    path = GOLDEN / source
    target = tmp_path / "data" / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.copytree(path, target)
        root = target
    else:
        shutil.copy(path, target)
        root = target.parent
    for number in frames:
        picture(root / images.format(number=number) / f"{number:05d}.{suffix}")
    return target


@pytest.mark.parametrize(
    ("source", "images", "labelled"),
    [
        ("coco/compressed.json", "clip", [0, 2]),
        ("coco/compressed.json", "images/clip", [0, 2]),
        ("coco/compressed.json", "", [0, 2]),
        ("youtube-vis/instances.json", "JPEGImages/clip", [0, 2]),
        ("labelme", "", [0, 2, 4]),
        ("yolo", "images/train", [0, 2, 4]),
        ("supervisely", "ds0/img", [0, 2]),
    ],
)
def test_images_lie_beside(tmp_path: Path, source: str, images: str, labelled: list[int]) -> None:
    data = load(tmp_path, put(tmp_path, source, images))
    found = frames_of(data)
    assert sorted(found) == [f"{number:05d}" for number in labelled]
    for number in labelled:
        assert np.array_equal(found[f"{number:05d}"], truth(number))
    assert any("(by image)" in line for line in data.notices)


def test_frames_that_are_not_labelled_keep_their_places(tmp_path: Path) -> None:
    data = load(tmp_path, put(tmp_path, "coco/compressed.json", "clip"))
    frames = [frame for video in data.train + data.validation for frame in video.frames]
    assert {frame.name: frame.position for frame in frames} == {"00000": 0, "00002": 2}
    assert not any(video.stills for video in data.train)


def test_listed_frames_are_empty_on_request(tmp_path: Path) -> None:
    path = put(tmp_path, "coco/compressed.json", "clip")
    found = frames_of(load(tmp_path, path, reading=Reading(match=MatchRule(empty="given"))))
    assert sorted(found) == ["00000", "00002", "00004"]
    assert not found["00004"].any()


def test_an_export_with_its_images_in_the_zip(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.write(GOLDEN / "cvat" / "images.xml", "annotations.xml")
        for number in range(5):
            file.write(picture(tmp_path / f"frame_{number:06d}.png"), f"../images/frame_{number:06d}.png")
    found = frames_of(load(tmp_path, path))
    assert sorted(found) == ["frame_000000", "frame_000002"]
    assert np.array_equal(found["frame_000002"], truth(2))
    # What is written lies in the cache, whatever the zip calls it.
    assert not (tmp_path / "images").exists()
    assert len(list((tmp_path / "cache").rglob("images/0/*.png"))) == 2


def test_images_that_are_named(tmp_path: Path) -> None:
    for number in range(5):
        picture(tmp_path / "film" / f"{number:05d}.png")
    data = load(tmp_path, f"{tmp_path / 'film'}::{GOLDEN / 'cvat' / 'video-masks.xml'}")
    found = frames_of(data)
    assert sorted(found) == ["00000", "00002"]
    assert np.array_equal(found["00000"], truth(0))
    assert any(
        "2 frames of 'film', frame 0 ... frame 2 -> 00000 ... 00002 (by number)" in line
        for line in data.notices
    )


def test_a_second_time_nothing_is_written_and_nothing_has_changed(tmp_path: Path) -> None:
    path = put(tmp_path, "coco/compressed.json", "clip")
    first = load(tmp_path, path)
    written = {file: file.stat().st_mtime_ns for file in (tmp_path / "cache").rglob("*.png")}
    second = load(tmp_path, path)
    assert first.fingerprint == second.fingerprint
    assert written == {file: file.stat().st_mtime_ns for file in (tmp_path / "cache").rglob("*.png")}
    other = load(tmp_path, path, reading=Reading(match=MatchRule(empty="given")))
    assert other.fingerprint != first.fingerprint


def test_no_images_are_refused_with_what_to_do(tmp_path: Path) -> None:
    path = GOLDEN / "cvat" / "images.xml"
    with pytest.raises(DataError, match=r"images\.xml: expected annotations with their images") as caught:
        load(tmp_path, path)
    assert "frame_000000" in caught.value.message
    assert f"--data IMAGES::{path}" in caught.value.hint
    with pytest.raises(DataError, match="found none, not even frame 0"):
        load(tmp_path, GOLDEN / "cvat" / "video-masks.xml")


def test_a_lacking_image_and_one_of_another_size_are_refused(tmp_path: Path) -> None:
    path = put(tmp_path, "coco/compressed.json", "clip")
    (path.parent / "clip" / "00002.jpg").unlink()
    with pytest.raises(DataError, match=r"label without its image beside compressed.json: clip/00002\.jpg"):
        load(tmp_path, path)
    picture(path.parent / "clip" / "00002.jpg", (10, 8))
    with pytest.raises(DataError, match=r"found 10x8 .width and height are swapped"):
        load(tmp_path, path)


def test_an_image_that_may_be_one_of_two_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path, "supervisely", "a/img")
    for number in range(5):
        picture(path / "b" / "img" / f"{number:05d}.jpg")
    with pytest.raises(
        DataError, match=r"expected one image for 00000.jpg, found a/img/00000.jpg and b"
    ) as caught:
        load(tmp_path, path)
    assert "IMAGES::" in caught.value.hint


def test_two_entries_for_one_image_are_refused(tmp_path: Path) -> None:
    path = put(tmp_path, "coco/compressed.json", "")
    loaded = json.loads(path.read_text("utf-8"))
    loaded["images"][1]["file_name"] = "copy/00000.jpg"
    path.write_text(json.dumps(loaded), "utf-8")
    with pytest.raises(DataError, match="expected one entry for the image"):
        load(tmp_path, path)


def test_twins_are_taken_together_and_never_refused(tmp_path: Path) -> None:
    path = put(tmp_path, "coco/compressed.json", "clip")
    loaded = json.loads(path.read_text("utf-8"))
    for entry in loaded["annotations"]:
        entry["category_id"] = 1
        del entry["track_id"]
    path.write_text(json.dumps(loaded), "utf-8")
    assert np.array_equal(frames_of(load(tmp_path, path))["00000"], truth(0))
