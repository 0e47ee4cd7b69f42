"""What containers tell about the length of their file."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest

from vsodtool.errors import DataError
from vsodtool.media.video.probe import probe_video
from vsodtool.media.video.truncation import describe_missing_bytes, find_absurd_length


def box(kind: bytes, body: bytes) -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def large_box(kind: bytes, body: bytes) -> bytes:
    return (1).to_bytes(4, "big") + kind + (16 + len(body)).to_bytes(8, "big") + body


EBML = b"\x1a\x45\xdf\xa3\x84" + b"head"
WHOLE = {
    "mp4": box(b"ftyp", b"isom") + box(b"moov", bytes(20)) + box(b"mdat", bytes(100)),
    "mp4 of more than 4 GB": box(b"ftyp", b"isom") + large_box(b"mdat", bytes(100)),
    "mp4 to the end": box(b"ftyp", b"isom") + b"\0\0\0\0mdat" + bytes(100),
    "avi": b"RIFF" + (104).to_bytes(4, "little") + b"AVI " + bytes(100),
    "mkv": EBML + b"\x18\x53\x80\x67\x40\x64" + bytes(100),
    "mkv with a long length": EBML + b"\x18\x53\x80\x67\x01" + (100).to_bytes(7, "big") + bytes(100),
    "mkv of unknown length": EBML + b"\x18\x53\x80\x67\x01" + b"\xff" * 7 + bytes(100),
    "gif": b"GIF89a" + bytes(100) + b";",
    "something else": b"some other container" + bytes(100),
    "mkv without a segment": EBML + bytes(100),
}
SILENT = {"mp4 to the end", "mkv of unknown length", "something else", "mkv without a segment"}


@pytest.mark.parametrize("name", WHOLE)
def test_whole_files(tmp_path: Path, name: str) -> None:
    path = tmp_path / "clip"
    path.write_bytes(WHOLE[name])
    assert describe_missing_bytes(path) == ""


@pytest.mark.parametrize("name", WHOLE)
def test_cut_files(tmp_path: Path, name: str) -> None:
    path = tmp_path / "clip"
    path.write_bytes(WHOLE[name][:-30] + (b"x" if name == "gif" else b""))
    found = describe_missing_bytes(path)
    if name in SILENT:
        assert found == ""
    elif name == "gif":
        assert "end marker" in found
    else:
        assert found == f"30 of {len(WHOLE[name])} bytes of the file are missing"


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "clip").write_bytes(b"")
    assert describe_missing_bytes(tmp_path / "clip") == ""


def film(path: Path, **options: str) -> bytearray:
    with av.open(str(path), "w", options=options) as file:
        stream = file.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        for index in range(6):
            rgb = np.full((32, 48, 3), 40 * index, np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        file.mux(stream.encode(None))
    return bytearray(path.read_bytes())


@pytest.mark.parametrize(
    ("kind", "place", "options"),
    [
        (b"stsz", 12, {}),  # version and flags, size of all, count
        (b"stts", 8, {}),  # version and flags, count
        (b"trun", 8, {"movflags": "frag_keyframe+empty_moov"}),
    ],
)
def test_a_billion_samples_in_a_small_file_are_absurd(
    tmp_path: Path, kind: bytes, place: int, options: dict[str, str]
) -> None:
    path = tmp_path / "a.mp4"
    data = film(path, **options)
    assert find_absurd_length(path) == ""
    struct.pack_into(">I", data, data.find(kind) + place, 10**9)
    path.write_bytes(data)
    assert "announces 1000000000 samples" in find_absurd_length(path)
    with pytest.raises(DataError, match="announces 1000000000 samples"):
        probe_video(path)


def test_samples_of_one_length_must_fit_into_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    data = film(path)
    struct.pack_into(">II", data, data.find(b"stsz") + 8, 1000, 500)
    path.write_bytes(data)
    assert "announces 500000 samples" in find_absurd_length(path)


def test_other_containers_and_empty_files_announce_nothing(tmp_path: Path) -> None:
    for name, data in (("a.mp4", b""), ("b.mkv", b"\x1a\x45\xdf\xa3" + bytes(40)), ("c.gif", b"GIF89a")):
        (tmp_path / name).write_bytes(data)
        assert find_absurd_length(tmp_path / name) == ""
