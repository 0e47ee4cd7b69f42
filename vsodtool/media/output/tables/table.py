"""Reading the tables of an output folder: CSV of known columns, as the run wrote it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from vsodtool.errors import DataError
from vsodtool.media.regular_file import read_regular

R = TypeVar("R")


def read_table(path: Path, columns: Sequence[str], of_row: Callable[[list[str]], R], hint: str) -> list[R]:
    """The rows of a table below its header.

    Args:
        path: of the table.
        columns: that its header must name.
        of_row: makes something of the cells of a row; ValueError if they are not what they should be.
        hint: the next step where the table is refused.

    Raises:
        DataError: the file is missing, unreadable, or has other columns or values.
    """
    try:
        # surrogateescape: file names that are not UTF-8 come back as the bytes that they are on the disk.
        text = read_regular(path).decode("utf-8", "surrogateescape")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (OSError, csv.Error) as error:
        raise DataError(f"cannot read {path}: {error}", hint) from error
    if not rows or rows[0] != list(columns):
        found = ",".join(rows[0]) if rows else "nothing"
        raise DataError(f"{path}: expected the header {','.join(columns)}, found {found}", hint)
    made = []
    for number, row in enumerate(rows[1:], start=2):
        try:
            made.append(of_row(row))
        except ValueError as error:
            raise DataError(f"{path}, row {number}: {error}", hint) from error
    return made
