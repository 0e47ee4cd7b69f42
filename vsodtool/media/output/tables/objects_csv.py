"""objects.csv: how far to trust each of several objects of a generated frame, one row for each."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vsodtool.media.atomic import disk_errors, write_bytes_atomically
from vsodtool.media.output.tables.frames_csv import csv_cell, plain_cell
from vsodtool.media.output.tables.table import read_table
from vsodtool.media.regular_file import read_regular
from vsodtool.types import FrameRecord

COLUMNS = ("video", "frame", "object", "confidence")
_HEADER = ",".join(COLUMNS)
Objects = dict[tuple[str, str], dict[int, float]]  # (video, frame) -> id -> confidence


def objects_of(records: Iterable[FrameRecord]) -> Objects:
    """What the table says of these records, confidence with four decimals."""
    return {
        (record.video, record.frame): {number: round(sure, 4) for number, sure in record.objects}
        for record in records
        if record.objects
    }


def write_objects_csv(path: Path, records: Iterable[FrameRecord]) -> None:
    """Write the rows of records with several objects, UTF-8; where there are none, no table stays.

    Raises:
        DeviceError: the file cannot be written.
    """
    rows = objects_of(records)
    if not rows:
        if is_objects_csv(path):  # of an earlier state of this run; another file of that name stays
            with disk_errors(path):
                path.unlink()
        return
    lines = [_HEADER]
    for (video, frame), objects in rows.items():
        names = f"{csv_cell(video)},{csv_cell(frame)}"
        lines += [f"{names},{number},{sure:.4f}" for number, sure in objects.items()]
    write_bytes_atomically(path, "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"))


def is_objects_csv(path: Path) -> bool:
    """Whether a file is there, and such a table.

    Raises:
        DeviceError: it cannot be read.
    """
    with disk_errors(path):
        return path.is_file() and read_regular(path).startswith(_HEADER.encode())


def read_objects_csv(path: Path) -> Objects:
    """Read what `write_objects_csv` wrote; nothing where there is no such file.

    Raises:
        DataError: the file is unreadable, or has other columns or values.
    """
    if not path.exists():
        return {}
    rows = read_table(path, COLUMNS, _row, "run the same command again, which writes it anew")
    objects: Objects = {}
    for frame, number, sure in rows:
        objects.setdefault(frame, {})[number] = sure
    return objects


def _row(row: list[str]) -> tuple[tuple[str, str], int, float]:
    video, frame, number, sure = map(plain_cell, row)
    return (video, frame), int(number), float(sure)
