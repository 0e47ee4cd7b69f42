"""Tables: what a row is, the caller says; header, quotes and values are checked in one place."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsodtool.errors import DataError
from vsodtool.media.output.tables.table import read_table


def test_rows_are_what_the_caller_makes_of_them(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b'name,count\n"a,b",1\n\xff,2\n')
    rows = read_table(path, ("name", "count"), lambda row: (row[0], int(row[1])), "")
    assert rows == [("a,b", 1), ("\udcff", 2)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot read"),
        ("", "expected the header name,count, found nothing"),
        ("name\n", "expected the header name,count, found name"),
        ('name,count\n"a,1\n', "cannot read"),
        ("name,count\na,1\nb,two\n", "row 3"),
    ],
)
def test_what_is_no_such_table_is_refused_with_the_next_step(
    tmp_path: Path, text: str | None, said: str
) -> None:
    path = tmp_path / "table.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(DataError, match=said) as caught:
        read_table(path, ("name", "count"), lambda row: int(row[1]), "write it anew")
    assert caught.value.hint == "write it anew"
