from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from vsodtool.errors import DataError
from vsodtool.media.video.inputs import VideoInput
from vsodtool.media.video.unpacking import unpack_frames


@pytest.fixture
def video(tmp_path: Path) -> VideoInput:
    """Six frames, each of one grey level: 20, 50, 80, ..."""
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"threads": "1"})
        stream.height, stream.width, stream.pix_fmt = 32, 48, "yuv420p"
        for number in range(6):
            rgb = np.full((32, 48, 3), 20 + 30 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode())
    return VideoInput("clip", path, "file")


def test_the_frames_asked_for(tmp_path: Path, video: VideoInput) -> None:
    unpacked = unpack_frames(video, ["00001", "00004"], tmp_path / "cache")
    assert sorted(unpacked) == ["00001", "00004"]
    for name, path in unpacked.items():
        assert abs(cv2.imread(str(path)).mean() - (20 + 30 * int(name))) < 4


def test_what_is_there_is_kept_and_what_is_missing_is_made(tmp_path: Path, video: VideoInput) -> None:
    first = unpack_frames(video, ["00001", "00004"], tmp_path / "cache")
    first["00004"].unlink()
    before = first["00001"].stat().st_mtime_ns
    again = unpack_frames(video, ["00001", "00002", "00004"], tmp_path / "cache")
    assert all(path.is_file() for path in again.values())
    assert again["00001"].stat().st_mtime_ns == before


def test_another_file_of_the_name_gets_another_folder(tmp_path: Path, video: VideoInput) -> None:
    first = unpack_frames(video, ["00001"], tmp_path / "cache")
    video.path.touch()
    assert unpack_frames(video, ["00001"], tmp_path / "cache")["00001"] != first["00001"]


def test_a_frame_that_does_not_decode(tmp_path: Path, video: VideoInput) -> None:
    with pytest.raises(DataError, match="2 frames with a mask do not decode, the first is 00017"):
        unpack_frames(video, ["00001", "00017", "00018"], tmp_path / "cache")
