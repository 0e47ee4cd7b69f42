"""Annotations into masks and files: drawn where they were drawn, and written over nothing unasked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from vsodtool.config import ConvertConfig
from vsodtool.errors import DataError, UsageError
from vsodtool.media.annotations.model import Annotations, Category, FrameKey, FrameLabels, Shape, VideoLabels
from vsodtool.media.annotations.table import FORMATS
from vsodtool.media.masks.reading import read_raw_mask
from vsodtool.pipelines.converting.writing import MASKS, write
from vsodtool.types import Event, ignore_event

SIZE = (4, 6)


def square(track: str, column: int, name: str = "dog") -> Shape:
    """One pixel of the first row."""
    mask = np.zeros(SIZE, bool)
    mask[0, column] = True
    return Shape(name, lambda _: mask, "made", track=track)


def video(name: str, frames: Sequence[str], *shapes: Shape) -> VideoLabels:
    labels = [
        FrameLabels(FrameKey(frame, number, SIZE), shapes, empty=not shapes)
        for number, frame in enumerate(frames)
    ]
    return VideoLabels(name, tuple(labels))


def annotations(*videos: VideoLabels) -> Annotations:
    return Annotations("made", "coco", videos, (Category("dog"),))


def config(target: Path, to: str = MASKS, **more: Any) -> ConvertConfig:
    return ConvertConfig(source=Path("nowhere"), output=str(target), to=to, **more)


def written(target: Path, made: Annotations, to: str = MASKS, **more: Any) -> list[Event]:
    events: list[Event] = []
    write(made, target, config(target, to, **more), {}, events.append)
    return events


def test_masks_hold_the_ids_of_the_shapes(tmp_path: Path) -> None:
    made = annotations(video("clip", ["a.jpg", "b.jpg"], square("1", 0), square("7", 5)))
    exact, hint = write(made, tmp_path / "m", config(tmp_path / "m"), {}, ignore_event)
    assert (exact, hint) == (True, "")
    expected = np.zeros(SIZE, np.uint8)
    expected[0, 0], expected[0, 5] = 1, 7
    for path in sorted((tmp_path / "m").rglob("*.png")):
        np.testing.assert_array_equal(read_raw_mask(path).values, expected)
    assert {path.stem for path in (tmp_path / "m").rglob("*.png")} == {"a", "b"}


def test_an_empty_frame_is_an_empty_mask(tmp_path: Path) -> None:
    written(tmp_path / "m", annotations(video("clip", ["a.jpg"])))
    (path,) = (tmp_path / "m").rglob("*.png")
    assert cv2.imread(str(path)).max() == 0


@pytest.mark.parametrize("name", ["../evil", "/evil", "..\\evil"])
def test_no_file_lies_beside_the_folder(name: str, tmp_path: Path) -> None:
    made = annotations(video(name, ["a.jpg"], square("1", 0)), video("b", ["a.jpg"], square("1", 0)))
    with pytest.raises(DataError, match="expected names of files within it"):
        written(tmp_path / "m", made)
    assert not (tmp_path / "evil").exists()


def test_no_frame_is_written_over_another(tmp_path: Path) -> None:
    made = annotations(video("clip", ["x/a.jpg", "y/a.jpg"], square("1", 0)))
    with pytest.raises(DataError, match="expected a name of its own for each file"):
        written(tmp_path / "m", made)


def test_what_is_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    made = annotations(video("clip", ["a.jpg"], square("1", 0)))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="full exists"):
        written(tmp_path / "full", made)
    with pytest.raises(UsageError, match="writes a folder, found a file"):
        written(tmp_path / "file", made, overwrite=True)
    with pytest.raises(UsageError, match="writes a file, found a folder"):
        written(tmp_path / "full", made, "coco", overwrite=True)
    (tmp_path / "empty").mkdir()
    written(tmp_path / "empty", made)


def test_masks_of_another_conversion_are_named(tmp_path: Path) -> None:
    written(tmp_path / "m", annotations(video("clip", ["a.jpg", "b.jpg"], square("1", 0))))
    events = written(tmp_path / "m", annotations(video("clip", ["a.jpg"], square("1", 0))), overwrite=True)
    (told,) = [event.message for event in events if event.kind == "warning"]
    assert told.endswith("b.png")
    assert "not of this conversion" in told


@pytest.mark.parametrize("to", [entry.name for entry in FORMATS if entry.one_video])
def test_a_format_of_one_video_takes_no_two(to: str, tmp_path: Path) -> None:
    made = annotations(video("a", ["a.jpg"], square("1", 0)), video("b", ["a.jpg"], square("1", 0)))
    with pytest.raises(UsageError, match="holds one video, found 2"):
        written(tmp_path / "there", made, to)


def test_a_way_that_a_format_does_not_have(tmp_path: Path) -> None:
    made = annotations(video("a", ["a.jpg"], square("1", 0)))
    for entry in FORMATS:
        if entry.write is not None and entry.write_polygons is None:
            with pytest.raises(UsageError, match="holds masks only"):
                written(tmp_path / f"{entry.name}.file", made, entry.name, polygons=True)
        if entry.write_files is not None:
            with pytest.raises(UsageError, match="written in one way only"):
                written(tmp_path / entry.name, made, entry.name, polygons=True)
    assert list(tmp_path.glob("*.file")) == []
