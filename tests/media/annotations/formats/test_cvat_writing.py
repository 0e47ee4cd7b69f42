"""CVAT XML as it is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vsodtool.errors import DataError
from vsodtool.media.annotations.formats.cvat_writing import write_cvat, write_cvat_video
from vsodtool.media.annotations.model import Annotations, FrameKey, FrameLabels, Shape, VideoLabels
from vsodtool.media.annotations.reading import read_annotations


def test_the_golden_file_comes_back(golden: Path) -> None:
    annotations = read_annotations(golden / "cvat" / "images.xml")
    expected = (golden / "cvat" / "images.xml").read_text("utf-8")
    assert "".join(write_cvat(annotations, polygons=False)) == expected


def test_polygon_tracks_come_back(golden: Path) -> None:
    text = "".join(write_cvat_video(read_annotations(golden / "cvat" / "video-polygons.xml")))
    assert 'points="1.00,1.00;6.00,1.00;6.00,6.00;1.00,6.00"' in text
    assert text.count('outside="1"') == 0


def test_a_track_holds_one_part_without_holes(golden: Path) -> None:
    with pytest.raises(DataError, match="expected an object of one part without holes") as caught:
        list(write_cvat_video(read_annotations(golden / "cvat" / "images.xml")))
    assert "--to cvat" in caught.value.hint


def test_a_track_ends_where_its_object_has_gone() -> None:
    dog = Shape("dog", lambda size: np.ones(size, bool), "here", track="7")
    frames = [
        FrameLabels(FrameKey("", number, (4, 4)), (dog,) if number != 5 else ()) for number in (0, 5, 9)
    ]
    text = "".join(write_cvat_video(Annotations("x", "x", (VideoLabels("clip", tuple(frames)),))))
    assert '<track id="7" label="dog"' in text
    shapes = [line.split('points="')[0].split() for line in text.splitlines() if "<polygon" in line]
    assert [(words[1], words[3]) for words in shapes] == [
        ('frame="0"', 'outside="0"'),
        ('frame="5"', 'outside="1"'),
        ('frame="9"', 'outside="0"'),
    ]
