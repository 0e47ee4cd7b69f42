"""Which stream is the video, and that a path is a path."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from vsodtool.errors import DataError
from vsodtool.media.video.file_frames import FileFrames
from vsodtool.media.video.inputs import VideoInput
from vsodtool.media.video.streams import choose_stream, open_file


def film(path: Path, *streams: tuple[int, int, int], dispositions: tuple[int, ...] = ()) -> Path:
    """A file with one video stream for each (width, height, frames); grey values tell them apart."""
    with av.open(f"file:{path}", "w") as file:
        made = []
        for number, (width, height, _) in enumerate(streams):
            stream = file.add_stream("libx264", rate=10)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            if dispositions:
                stream.disposition = Disposition(dispositions[number])
            made.append(stream)
        for number, ((width, height, frames), stream) in enumerate(zip(streams, made, strict=True)):
            rgb = np.full((height, width, 3), 40 * number + 40, np.uint8)
            for _ in range(frames):
                file.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
            file.mux(stream.encode(None))
    return path


def opened(path: Path) -> FileFrames:
    return FileFrames(VideoInput(path.stem, path, "file"))


DEFAULT, COVER, THUMBNAILS = Disposition.default, Disposition.attached_pic, Disposition.timed_thumbnails


@pytest.mark.parametrize(
    ("streams", "dispositions", "size"),
    [
        ([(48, 32, 6), (96, 64, 6)], (0, DEFAULT), (64, 96)),
        ([(48, 32, 6), (96, 64, 6)], (DEFAULT, 0), (32, 48)),
        ([(48, 32, 6), (96, 64, 6)], (0, 0), (64, 96)),  # no default: the one with most pixels
        ([(48, 32, 6), (96, 64, 6)], (DEFAULT, DEFAULT), (64, 96)),
        ([(96, 64, 6), (48, 32, 6)], (0, 0), (64, 96)),
        ([(192, 128, 1), (48, 32, 6)], (DEFAULT, 0), (32, 48)),  # a thumbnail of one frame
    ],
)
def test_of_several_streams(
    tmp_path: Path, streams: list[tuple[int, int, int]], dispositions: tuple[int, ...], size: tuple[int, int]
) -> None:
    frames = opened(film(tmp_path / "a.mkv", *streams, dispositions=dispositions))
    assert frames.size == size
    assert len(list(frames)) == len(frames.names) == 6
    assert "of 2 video streams" in frames.notes[0]


def test_a_single_frame_is_a_video_if_there_is_no_other(tmp_path: Path) -> None:
    frames = opened(film(tmp_path / "a.mkv", (48, 32, 1)))
    assert len(list(frames)) == 1
    assert frames.notes == []


def test_covers_and_thumbnails_are_no_videos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = film(tmp_path / "a.mkv", (48, 32, 3))

    class Picture:
        """A stream as FFmpeg shows the cover of a song."""

        def __init__(self, disposition: Disposition) -> None:
            self.disposition, self.index, self.codec_context = disposition, 0, object()

    class Streams(list[Picture]):
        @property
        def video(self) -> list[Picture]:
            return self

    class Container:
        streams = Streams([Picture(COVER), Picture(THUMBNAILS)])

    with pytest.raises(DataError, match="2 of them a cover picture or thumbnails"):
        choose_stream(path, Container())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name", ["12:30:05.mkv", "cam1:front.mkv", "http:/host/x.mkv", "pipe:0.mkv", "a%03d.mkv"]
)
def test_a_path_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    source = film(Path("clip.mkv"), (48, 32, 3))
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, name)
    assert len(list(opened(Path(name)))) == 3


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile clip.mkv\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nclip.mkv\n#EXT-X-ENDLIST\n",
        '<?xml version="1.0"?><MPD><Period/></MPD>',
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5000 RTP/AVP 96\n",
    ],
)
@pytest.mark.parametrize("suffix", [".mp4", ".ts", ".m3u8"])
def test_playlists_open_no_other_file(tmp_path: Path, text: str, suffix: str) -> None:
    film(tmp_path / "clip.mkv", (48, 32, 3))
    path = tmp_path / f"list{suffix}"
    path.write_text(text)
    with pytest.raises(DataError, match=r"list\.\w+: expected a video"), open_file(path):
        pass


def test_a_picture_is_no_video_whatever_its_suffix(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(DataError, match="no video in a format that is known"), open_file(path):
        pass


@pytest.mark.skipif(os.name != "posix", reason="named pipes of POSIX")
def test_pipes_and_devices_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.mp4")
    for path, found in ((tmp_path / "a.mp4", "a named pipe"), (Path("/dev/zero"), "a device")):
        with pytest.raises(DataError, match=f"found {found}"), open_file(path):
            pass
