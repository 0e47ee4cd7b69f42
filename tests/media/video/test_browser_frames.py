"""Frames as a browser shows them: files as they lie, what it cannot show as JPEG, video files in order."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from vsodtool.errors import DataError
from vsodtool.media.images import shown_type
from vsodtool.media.video.browser_frames import BrowserFrames
from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import discover_videos

Pixels = npt.NDArray[np.uint8]
PICTURE = np.random.default_rng(0).integers(0, 256, (12, 20, 3), dtype=np.uint8)


def frames_of(path: Path, folder: Path) -> BrowserFrames:
    (video,) = discover_videos([str(path)])
    return BrowserFrames(open_frames(video), folder)


def decoded(data: bytes) -> Pixels:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    return pixels.astype(np.uint8)


@pytest.mark.parametrize(("suffix", "kind"), [("png", "image/png"), ("jpg", "image/jpeg")])
def test_pictures_that_a_browser_shows_come_as_they_lie_there(suffix: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / "clip").mkdir()
    path = tmp_path / "clip" / f"0.{suffix}"
    cv2.imwrite(str(path), PICTURE)
    frames = frames_of(tmp_path / "clip", tmp_path)
    assert frames.ready(0)
    picture = frames.read(0)
    assert (picture.kind, picture.data) == (kind, path.read_bytes())


@pytest.mark.parametrize("what", ["bmp", "tiff", "16 bit", "opacity", "opacity in a palette"])
def test_other_pictures_come_as_jpeg(what: str, tmp_path: Path) -> None:
    (tmp_path / "clip").mkdir()
    path = tmp_path / "clip" / f"0.{what if len(what) in (3, 4) else 'png'}"
    if what == "16 bit":
        cv2.imwrite(str(path), PICTURE.astype(np.uint16) * 257)
    elif what == "opacity":
        cv2.imwrite(str(path), np.dstack([PICTURE, PICTURE[..., 0]]))
    elif what == "opacity in a palette":
        Image.fromarray(PICTURE).quantize(16).save(path, transparency=3)
    else:
        cv2.imwrite(str(path), PICTURE)
    picture = frames_of(tmp_path / "clip", tmp_path).read(0)
    assert picture.kind == "image/jpeg"
    assert decoded(picture.data).shape == (12, 20, 3)


def test_small_pictures_keep_their_form_and_are_never_enlarged(tmp_path: Path) -> None:
    (tmp_path / "clip").mkdir()
    cv2.imwrite(str(tmp_path / "clip" / "0.png"), PICTURE)
    frames = frames_of(tmp_path / "clip", tmp_path)
    assert decoded(frames.read(0, 10).data).shape == (6, 10, 3)
    assert decoded(frames.read(0, 400).data).shape == (12, 20, 3)
    assert frames.read(0, 10) is frames.read(0, 10)


def test_a_picture_that_does_not_decode_is_told(tmp_path: Path) -> None:
    (tmp_path / "clip").mkdir()
    cv2.imwrite(str(tmp_path / "clip" / "0.bmp"), PICTURE)
    frames = frames_of(tmp_path / "clip", tmp_path)
    (tmp_path / "clip" / "0.bmp").write_bytes(b"BM no more")
    with pytest.raises(DataError, match="does not decode"):
        frames.read(0)
    (tmp_path / "clip" / "0.bmp").unlink()
    with pytest.raises(DataError, match="cannot be read"):
        frames.read(0)


def write_video(path: Path, count: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "threads": "1"})
        stream.height, stream.width, stream.pix_fmt = 32, 48, "yuv420p"
        for index in range(count):
            picture = np.full((32, 48, 3), 20 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def wait_for(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_video_file_is_decoded_in_order_whatever_is_asked_for_first(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", 10)
    (tmp_path / "work").mkdir()
    frames = frames_of(tmp_path / "clip.mp4", tmp_path / "work")
    wait_for(lambda: frames.ready(9))
    for index in (9, 0, 5):
        assert abs(float(decoded(frames.read(index).data).mean()) - 20 * index) < 4
    frames.close()


def test_frames_that_a_cut_file_lacks_are_told(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", 10)
    (tmp_path / "work").mkdir()
    frames = frames_of(tmp_path / "clip.mp4", tmp_path / "work")
    wait_for(lambda: frames.ready(9))
    (tmp_path / "work" / "9.jpg").unlink()
    with pytest.raises(DataError, match="frame 9 did not decode"):
        frames.read(9)
    frames.close()


def test_animated_pictures_and_garbage_are_not_shown_as_they_are() -> None:
    assert shown_type(b"GIF89a") == ""
    assert shown_type(b"RIFF\0\0\0\0WEBPVP8X") == ""
    assert shown_type(b"RIFF\0\0\0\0WEBPVP8 ") == "image/webp"
    assert shown_type(b"") == ""
