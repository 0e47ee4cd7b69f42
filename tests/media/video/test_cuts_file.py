"""Lists of cuts, and what is wrong with them."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from vsodtool.errors import DataError
from vsodtool.media.video.cuts_file import read_cuts

ONE = {"my clip": [f"{index:05d}" for index in range(30)]}
TWO = {**ONE, "b": ["img_1", "img_2", "img_3"]}


def cuts(tmp_path: Path, text: str, names: dict[str, list[str]]) -> dict[str, tuple[int, ...]]:
    path = tmp_path / "cuts.txt"
    path.write_text(text)
    return read_cuts(path, names)


def test_lines_name_video_and_frame(tmp_path: Path) -> None:
    text = "# by hand\n\nmy clip 00020\nb img_2\nmy clip\t7\nmy clip 00000\n"
    assert cuts(tmp_path, text, TWO) == {"my clip": (7, 20), "b": (1,)}


def test_of_one_video_frames_suffice(tmp_path: Path) -> None:
    assert cuts(tmp_path, "20\n00004\nmy clip 9\n", ONE) == {"my clip": (4, 9, 20)}
    assert cuts(tmp_path, "", ONE) == {"my clip": ()}
    assert cuts(tmp_path, "my frame 2\n", {"v": ["my frame 1", "my frame 2"]}) == {"v": (1,)}


def test_the_table_of_pyscenedetect(tmp_path: Path) -> None:
    # scenedetect 0.7: `list-scenes`; frames are counted from 1
    text = (
        "Timecode List:,00:00:00.417\n"
        "Scene Number,Start Frame,Start Timecode,Start Time (seconds),End Frame\n"
        "1,1,00:00:00.000,0.000,10\n2,11,00:00:00.417,0.417,30\n"
    )
    assert cuts(tmp_path, text, ONE) == {"my clip": (10,)}
    assert cuts(tmp_path, text.split("\n", 1)[1], ONE) == {"my clip": (10,)}
    with pytest.raises(DataError, match="line 4: expected a Start Frame from 1 to 5, found '11'"):
        cuts(tmp_path, text, {"v": list("abcde")})
    with pytest.raises(DataError, match="line 2: expected VIDEO FRAME, as there are 2 videos"):
        cuts(tmp_path, text, TWO)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("my clip 3\nmy clip 30\n", "line 2: expected a frame of 'my clip', found '30'"),
        ("my clip 3\nc 1\n", "line 2: expected VIDEO FRAME, found 'c 1', and no video 'c'"),
        ("3\n", "line 1: expected VIDEO FRAME, as there are 2 videos, found no video"),
        ("b 2\n", "line 1: expected a frame of 'b', found '2'"),
        ("my clip -1\n", "line 1: expected a frame of 'my clip', found '-1'"),
    ],
)
def test_what_does_not_exist_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        cuts(tmp_path, text, TWO)


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read the cuts in"):
        read_cuts(tmp_path / "none.txt", ONE)
    (tmp_path / "cuts.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(DataError, match="no UTF-8 text"):
        read_cuts(tmp_path / "cuts.txt", ONE)


def test_names_in_two_unicode_forms_are_one_video(tmp_path: Path) -> None:
    names = {unicodedata.normalize("NFC", "Läufer"): ["é1", "é2"], "b": ["1"]}
    path = tmp_path / "cuts.txt"
    path.write_text(unicodedata.normalize("NFD", "Läufer é2\n"), "utf-8")
    assert list(read_cuts(path, names).values()) == [(1,), ()]
