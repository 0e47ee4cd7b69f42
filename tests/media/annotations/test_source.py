"""A file, a folder and a zip look alike, and none of them is trusted."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from vsodtool.errors import DataError
from vsodtool.media.annotations import source as module
from vsodtool.media.annotations.source import Source

MEMBERS = {"annotations/a.json": b"{}", "b.xml": b"<a/>", ".hidden": b"", "__MACOSX/._b.xml": b""}


@pytest.fixture(params=["folder", "zip"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    for name, data in MEMBERS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    if request.param == "folder":
        return folder
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name, data in MEMBERS.items():
            file.writestr(name, data)
    return path


def test_folders_and_zips_list_and_read_alike(place: Path) -> None:
    source = Source(place)
    assert not source.is_file
    assert source.names == ("annotations/a.json", "b.xml")
    assert source.read("annotations/a.json") == b"{}"
    assert (source.files_of(".json"), source.files_of(".xml")) == (("annotations/a.json",), ("b.xml",))
    assert str(place) in source.place("b.xml")
    assert "b.xml" in source.place("b.xml")


def test_a_single_file(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b"{}")
    source = Source(path)
    assert source.is_file
    assert source.names == ("x.json",)
    assert source.place("x.json") == str(path)
    assert source.read("x.json") == b"{}"
    assert (source.files_of(".json"), source.files_of(".xml")) == (("x.json",), ())


def test_the_first_line_of_a_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbf1 2 3\n4 5 6\n")
    assert Source(tmp_path).first_line("a.txt") == b"1 2 3"


@pytest.mark.parametrize(
    ("start", "name", "kind"),
    [
        (b' \n{"a": 1}', "x.txt", ".json"),
        (b"\xef\xbb\xbf[]", "x", ".json"),
        (b"<?xml", "x.json", ".xml"),
        (b"0 0.5", "x.TXT", ".txt"),
        (b"", "x.json", ".json"),
    ],
)
def test_kinds_are_told_by_the_beginning(tmp_path: Path, start: bytes, name: str, kind: str) -> None:
    (tmp_path / name).write_bytes(start)
    assert Source(tmp_path / name).kind == kind


def test_a_file_that_grows_in_the_zip_is_read_no_further_than_announced(tmp_path: Path) -> None:
    path = tmp_path / "liar.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.json", b'{"a": 1}')
    data = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.index(mark) + place
        data[at : at + 4] = (3).to_bytes(4, "little")
    path.write_bytes(bytes(data))
    with pytest.raises(DataError, match=r"liar\.zip: a\.json: expected annotations"):
        Source(path).read("a.json")


@pytest.mark.parametrize("kind", ["missing", "cut", "pipe", "folder without rights"])
def test_what_cannot_be_read_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.zip"
    if kind == "cut":
        path.write_bytes(b"PK\x03\x04 and no more")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder without rights":
        path.mkdir()
        with pytest.raises(DataError, match=r"x\.zip/none: expected annotations"):
            Source(path).read("none")
        return
    with pytest.raises(DataError, match=r"x\.zip: expected"):
        Source(path)


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b"{}  ")
    monkeypatch.setattr(module, "LARGEST", 3)
    with pytest.raises(DataError, match="at most 2 GiB"):
        Source(path).read("x.json")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        file.writestr("a", b"1234567")
    with pytest.raises(DataError, match=r"x\.zip: a: expected an export"):
        Source(tmp_path / "x.zip")
    monkeypatch.undo()
    monkeypatch.setattr(module, "_MOST_MEMBERS", 1)
    (tmp_path / "y.json").write_bytes(b"{}")
    with pytest.raises(DataError, match="over 1 files"):
        assert Source(tmp_path).names
