"""Each kind of video has its source, and all of them one face."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from vsodtool.media.video.file_frames import FileFrames
from vsodtool.media.video.folder_frames import FolderFrames
from vsodtool.media.video.frames import FrameSource, open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.media.video.stack_frames import StackFrames

COUNT = 3


def folder(root: Path, pictures: list[Image.Image]) -> Path:
    (root / "clip").mkdir()
    for number, picture in enumerate(pictures):
        picture.save(root / "clip" / f"{number}.png")
    return root / "clip"


def stack(root: Path, pictures: list[Image.Image]) -> Path:
    pictures[0].save(root / "clip.tif", save_all=True, append_images=pictures[1:])
    return root / "clip.tif"


def film(root: Path, pictures: list[Image.Image]) -> Path:
    with av.open(str(root / "clip.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")))
        container.mux(stream.encode())
    return root / "clip.mp4"


@pytest.mark.parametrize(
    ("write", "kind"), [(folder, FolderFrames), (stack, StackFrames), (film, FileFrames)]
)
def test_what_opens_a_video(tmp_path: Path, write: object, kind: type[FrameSource]) -> None:
    assert callable(write)
    pictures = [Image.new("RGB", (48, 32), (60 * number, 90, 30)) for number in range(COUNT)]
    frames: FrameSource = open_frames(discover_videos([str(write(tmp_path, pictures))])[0])
    assert type(frames) is kind
    assert frames.size == (32, 48)
    assert [frame.name for frame in frames] == frames.names
    assert len(frames.names) == COUNT
    assert [frame.index for frame in frames.select([0, 2])] == [0, 2]
    assert frames.losses == []
    assert not frames.is_cut
