"""objects.csv: several objects of a frame, each with its own confidence."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsodtool.errors import DataError
from vsodtool.media.output.tables.objects_csv import objects_of, read_objects_csv, write_objects_csv
from vsodtool.types import FrameRecord, FrameStatus

ROWS = [
    FrameRecord("bear", "00000", FrameStatus.GIVEN, "", "00005", 1.0),
    FrameRecord(
        "bear", "00001", FrameStatus.GENERATED, "", "00005", 0.8, objects=((1, 0.91234567), (7, 0.5))
    ),
    FrameRecord("=a,b", "7", FrameStatus.GENERATED, "", "", 0.8, objects=((300, 0.0),)),
]


def test_only_frames_with_objects_have_rows_and_names_are_safe_in_spreadsheets(tmp_path: Path) -> None:
    path = tmp_path / "objects.csv"
    write_objects_csv(path, ROWS)
    assert path.read_text() == (
        'video,frame,object,confidence\nbear,00001,1,0.9123\nbear,00001,7,0.5000\n"\'=a,b",7,300,0.0000\n'
    )
    assert read_objects_csv(path) == objects_of(ROWS)
    assert read_objects_csv(path)["bear", "00001"] == {1: 0.9123, 7: 0.5}


def test_without_objects_the_table_goes_but_no_file_of_others(tmp_path: Path) -> None:
    path = tmp_path / "objects.csv"
    write_objects_csv(path, ROWS[:1])
    assert not path.exists()
    write_objects_csv(path, ROWS)
    write_objects_csv(path, ROWS[:1])
    assert not path.exists()
    assert read_objects_csv(path) == {}
    path.write_text("my own notes\n")
    write_objects_csv(path, ROWS[:1])
    assert path.read_text() == "my own notes\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected the header"),
        ("video,frame\n", "expected the header"),
        ("video,frame,object,confidence\na,b,c,0.5\n", "row 2"),
        ("video,frame,object,confidence\na,b,1\n", "row 2"),
        ('video,frame,object,confidence\na,"b,1,0.5\n', "cannot read"),
    ],
)
def test_a_damaged_table_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "objects.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=said):
        read_objects_csv(path)
