"""Files that `evaluate` writes: which are refused, and the scores as CSV, row by row while they come."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from vsodtool.errors import UsageError
from vsodtool.media.atomic import atomic_path, disk_errors
from vsodtool.media.output.layout import is_inside
from vsodtool.media.output.tables.frames_csv import csv_cell

Value = str | int | float | bool


def videos_csv(frames_csv: Path) -> Path:
    """The file for the scores of the videos, beside the one for those of the frames."""
    return frames_csv.with_name(f"{frames_csv.stem}-videos{frames_csv.suffix}")


def check_new_files(files: Sequence[Path], inputs: Sequence[Path], *, overwrite: bool) -> None:
    """Refuse to write where something is, or into the inputs. Nothing is created.

    Args:
        files: what will be written.
        inputs: the folders that are read.
        overwrite: files (not folders) may be replaced.

    Raises:
        UsageError: a file exists, is a folder, or lies in an input (links are resolved).
    """
    for file in files:
        for folder in inputs:
            if is_inside(file.resolve(), folder.resolve()):
                raise UsageError(f"{file} lies inside the input {folder}", "choose a place outside of it")
        if file.is_dir():
            raise UsageError(f"{file}: expected a file or nothing, found a folder", "choose another name")
        if os.path.lexists(file) and not overwrite:
            raise UsageError(f"{file} exists", "choose another name, or --overwrite")


class ScoreTable:
    """Rows of one CSV file."""

    def __init__(self, file: TextIO, columns: Sequence[str], path: Path) -> None:
        self._file = file
        self._columns = columns
        self._path = path
        self._write_line(columns)

    def add(self, row: Mapping[str, Value]) -> None:
        """Append a row; a column that it lacks stays empty.

        Raises:
            DeviceError: the disk is full, or another trouble with it.
        """
        self._write_line([_text(row.get(column, "")) for column in self._columns])

    def _write_line(self, cells: Sequence[str]) -> None:
        with disk_errors(self._path):
            self._file.write(",".join(map(csv_cell, cells)) + "\n")


@contextmanager
def score_table(path: Path, columns: Sequence[str]) -> Iterator[ScoreTable]:
    """A CSV file that appears when the block ends well; UTF-8, twelve digits.

    Raises:
        DeviceError: the file cannot be written.
    """
    with atomic_path(path) as temporary:
        with disk_errors(path):
            # surrogateescape: names that are not UTF-8 come back as the bytes that they are on the disk.
            file = temporary.open("w", encoding="utf-8", errors="surrogateescape", newline="")
        with file:
            yield ScoreTable(file, columns, path)


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:.12g}" if isinstance(value, float) else str(value)
