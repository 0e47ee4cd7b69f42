"""The eight ways in which a display matrix can turn and mirror a frame."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest

from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import VideoInput

ONE = 1 << 16


def write(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """A clip whose `tkhd` box holds the matrix (a, b, c, d), pixels: white upper left, grey upper right."""
    rgb = np.zeros((32, 48, 3), np.uint8)
    rgb[:16, :24], rgb[:16, 24:] = 255, 128
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode())
    data = bytearray(path.read_bytes())
    place = data.find(struct.pack(">9i", ONE, 0, 0, 0, ONE, 0, 0, 0, 1 << 30), data.find(b"tkhd"))
    a, b, c, d = matrix
    data[place : place + 36] = struct.pack(">9i", a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("matrix", "corners"),  # upper left, upper right, lower left, lower right
    [
        ((1, 0, 0, 1), [255, 128, 0, 0]),
        ((-1, 0, 0, -1), [0, 0, 128, 255]),
        ((-1, 0, 0, 1), [128, 255, 0, 0]),
        ((1, 0, 0, -1), [0, 0, 255, 128]),
        ((0, 1, -1, 0), [0, 255, 0, 128]),  # a phone held upright: shown turned clockwise
        ((0, -1, 1, 0), [128, 0, 255, 0]),
        ((0, 1, 1, 0), [255, 0, 128, 0]),
        ((0, -1, -1, 0), [0, 128, 0, 255]),
    ],
)
def test_every_orientation(tmp_path: Path, matrix: tuple[int, int, int, int], corners: list[int]) -> None:
    path = write(tmp_path / "a.mp4", matrix)
    (frame,) = open_frames(VideoInput("a", path, "file"))
    found = [int(frame.rgb[y, x].mean()) for y in (0, -1) for x in (0, -1)]
    assert frame.rgb.flags.c_contiguous
    assert found == pytest.approx(corners, abs=12)
