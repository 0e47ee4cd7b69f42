"""Which inputs have a mask, in folders of masks and in annotations."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from vsodtool.config import AnnotationConfig
from vsodtool.errors import DataError
from vsodtool.media.images import write_png
from vsodtool.media.video.frames import FrameSource, open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.pipelines.running.given_masks import given_masks, with_masks
from vsodtool.types import Event, ignore_event


@pytest.fixture
def sources(tmp_path: Path) -> list[FrameSource]:
    for video in "abc":
        for index in range(2):
            write_png(tmp_path / "clips" / video / f"{index}.png", np.full((8, 9, 3), index, np.uint8))
    return [open_frames(video) for video in discover_videos([str(tmp_path / "clips")])]


def annotate(folder: Path, video: str) -> None:
    """A file of LabelMe for frame 1 of a video."""
    corners = [[1, 1], [5, 1], [5, 5], [1, 5]]
    shape = {"label": "dog", "points": corners, "shape_type": "polygon", "group_id": None}
    content = {"version": "5.5.0", "shapes": [shape], "imagePath": "1.png", "imageHeight": 8, "imageWidth": 9}
    (folder / video).mkdir(parents=True)
    (folder / video / "1.json").write_text(json.dumps(content))


def test_the_places_together_say_which(tmp_path: Path, sources: list[FrameSource]) -> None:
    write_png(tmp_path / "masks" / "a" / "0.png", np.zeros((8, 9), np.uint8))
    annotate(tmp_path / "labelme", "c")
    paths = [tmp_path / "masks", tmp_path / "labelme"]
    chosen = with_masks(AnnotationConfig(), paths, sources)
    assert [source.video.name for source in chosen] == ["a", "c"]
    assert [each.video.name for each in with_masks(AnnotationConfig(), paths[1:], sources)] == ["c"]


def test_an_annotation_file_that_lacks_a_video_is_refused_and_told_how(
    tmp_path: Path, sources: list[FrameSource]
) -> None:
    annotate(tmp_path / "labelme", "c")
    with (
        pytest.raises(DataError, match="expected labels for 'a', 'b'") as caught,
        given_masks(AnnotationConfig(), [tmp_path / "labelme"], sources, ignore_event),
    ):
        pass
    assert "--only-masked" in caught.value.hint


def test_options_of_annotations_with_folders_of_masks_are_said_to_be_in_vain(
    tmp_path: Path, sources: list[FrameSource]
) -> None:
    for video in "abc":
        write_png(tmp_path / "masks" / video / "0.png", np.zeros((8, 9), np.uint8))
    heard = list[Event]()
    config = AnnotationConfig(classes="dog", interpolated=False, objects="track", frame_offset=1)
    with given_masks(config, [tmp_path / "masks"], sources, heard.append):
        pass
    (told,) = heard
    assert told.message.startswith("--classes, --no-interpolated, --objects: of annotation files only")
    with given_masks(AnnotationConfig(frame_offset=1), [tmp_path / "masks"], sources, heard.append):
        pass
    assert len(heard) == 1


def test_one_mask_may_be_given_as_a_file(tmp_path: Path, sources: list[FrameSource]) -> None:
    mask = tmp_path / "a_mask.png"
    write_png(mask, np.zeros((8, 9), np.uint8))
    with given_masks(AnnotationConfig(), [mask], sources[:1], ignore_event) as given:
        assert [folder.path for folder in given.folders] == [mask]
        assert given.named == {}
