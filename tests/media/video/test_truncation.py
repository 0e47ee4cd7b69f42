"""What containers tell about the length of their file."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsodtool.media.video.truncation import describe_missing_bytes


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
