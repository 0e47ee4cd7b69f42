"""frames.csv: readable by any CSV reader, and by its own."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.errors import DataError
from vsodtool.media.output.tables.frames_csv import (
    csv_cell,
    plain_cell,
    read_frames_csv,
    read_rows_by_video,
    write_frames_csv,
)
from vsodtool.types import FrameRecord, FrameStatus

ROWS = [
    FrameRecord("bear", "00000", FrameStatus.GIVEN, "", "00005", 1.0),
    FrameRecord("bear", "00001", FrameStatus.GENERATED, "00000", "00005", 0.8765432),
    FrameRecord("bear", "00002", FrameStatus.SKIPPED, "00000", "00005", 0.0),
]


def test_the_text_is_that_of_the_contract(tmp_path: Path) -> None:
    write_frames_csv(tmp_path / "frames.csv", ROWS)
    assert (tmp_path / "frames.csv").read_text() == (
        "video,frame,status,left,right,confidence\n"
        "bear,00000,given,,00005,1.000000\n"
        "bear,00001,generated,00000,00005,0.876543\n"
        "bear,00002,skipped,00000,00005,0.000000\n"
    )


def test_rows_of_several_videos_keep_their_order(tmp_path: Path) -> None:
    path = tmp_path / "frames.csv"
    zebra = [FrameRecord("zebra", name, FrameStatus.GENERATED, "", "", 0.5) for name in ("2", "10")]
    write_frames_csv(path, [zebra[0], *ROWS, zebra[1]])
    rows = read_rows_by_video(path)
    assert list(rows) == ["zebra", "bear"]
    assert rows["zebra"] == zebra
    assert [row.frame for row in rows["bear"]] == [row.frame for row in ROWS]


def test_round_trip_and_again(tmp_path: Path) -> None:
    path = tmp_path / "frames.csv"
    write_frames_csv(path, ROWS)
    once = read_frames_csv(path)
    assert once[1].confidence == 0.876543
    text = path.read_bytes()
    write_frames_csv(path, once)
    assert path.read_bytes() == text


def test_no_rows(tmp_path: Path) -> None:
    write_frames_csv(tmp_path / "frames.csv", [])
    assert read_frames_csv(tmp_path / "frames.csv") == []


@given(st.lists(st.tuples(st.text(max_size=6), st.text(max_size=6)), max_size=6))
def test_any_names_survive(tmp_path_factory: pytest.TempPathFactory, names: list[tuple[str, str]]) -> None:
    path = tmp_path_factory.mktemp("csv") / "frames.csv"
    rows = [FrameRecord(video, frame, FrameStatus.GIVEN, frame, video, 0.25) for video, frame in names]
    write_frames_csv(path, rows)
    assert read_frames_csv(path) == rows
    with path.open(newline="", encoding="utf-8") as file:
        cells = [(row["video"], row["frame"]) for row in csv.DictReader(file)]
    assert [(plain_cell(video), plain_cell(frame)) for video, frame in cells] == names
    for cell in (cell for row in cells for cell in row):
        assert not cell.startswith(("=", "@", "\t", "\r")), "a spreadsheet would take it for a formula"


@pytest.mark.parametrize(
    "name", ["=1+2", "@x", "+cmd", "-cmd|' /C calc'!A0", "\t=1", "\uff1d1", "'=1", "-1-1"]
)
def test_what_looks_like_a_formula_is_made_harmless(name: str) -> None:
    assert csv_cell(name).lstrip('"') == f"'{name}".replace('"', '""')
    assert plain_cell(f"'{name}") == name


@pytest.mark.parametrize("name", ["-12", "+1", "-0.5", "-1e-05", "-inf", "'tis", "00012", "a=b", "x-1"])
def test_numbers_and_other_names_stay_as_they_are(name: str) -> None:
    assert csv_cell(name) == plain_cell(name) == name


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    rows = [FrameRecord("caf\udce9", "00000", FrameStatus.GIVEN, "", "", 1.0)]
    write_frames_csv(tmp_path / "frames.csv", rows)
    assert b"caf\xe9," in (tmp_path / "frames.csv").read_bytes()
    assert read_frames_csv(tmp_path / "frames.csv") == rows


HEADER = "video,frame,status,left,right,confidence\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "found nothing"),
        ("video,frame\n", "found video,frame"),
        (HEADER + "bear,00000,given\n", "row 2"),
        (HEADER + "bear,00000,eaten,,,1\n", "row 2"),
        (HEADER + "bear,00000,given,,,1\nbear,00001,given,,,much\n", "row 3"),
        (HEADER + '"bear', "cannot read"),
    ],
)
def test_damage_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "frames.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=words) as caught:
        read_frames_csv(path)
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read"):
        read_frames_csv(tmp_path / "frames.csv")
