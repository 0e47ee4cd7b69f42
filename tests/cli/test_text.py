from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vsodtool.cli.text import Table, printable


def test_numbers_are_right_aligned_and_text_is_left_aligned() -> None:
    table = Table(["video", "frames", "mean", "file"])
    table.add("a", 5, "-", "x.png")
    table.add("long name", 1234, "0.50", "y")
    assert str(table) == (
        "video      frames  mean  file\n"
        "a               5     -  x.png\n"
        "long name    1234  0.50  y\n"
    )  # fmt: skip


def test_wide_and_combining_characters_keep_the_columns() -> None:
    table = Table(["v", "n"])
    table.add("映像", 1)
    table.add("u\u0308", 2)
    assert str(table).splitlines() == ["v     n", "映像  1", "u\u0308     2"]


def test_names_cannot_break_the_table() -> None:
    table = Table(["v", "n"])
    table.add("a\nb\tc", 1)
    assert str(table).splitlines()[1] == "a\\nb\\tc  1"


@given(st.text())
def test_printable_is_one_line_without_control_characters(text: str) -> None:
    safe = printable(text)
    assert len(safe.splitlines()) <= 1
    assert "\x1b" not in safe
    assert printable(safe) == safe


def test_marks_that_turn_the_text_are_shown() -> None:
    assert printable("a\u202egpj.exe\u2069\u200f") == "a\\u202egpj.exe\\u2069\\u200f"
    assert (
        printable("\u05e9\u05dc\u05d5\u05dd \U0001f468\u200d\U0001f469")
        == "\u05e9\u05dc\u05d5\u05dd \U0001f468\u200d\U0001f469"
    )
