"""objects.csv: how far to trust each of several objects of a generated frame, one row for each."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from vsodtool.errors import DataError
from vsodtool.media.atomic import disk_errors, write_bytes_atomically
from vsodtool.media.output.frames_csv import csv_cell, plain_cell
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
        with disk_errors(path):
            if path.is_file() and read_regular(path).startswith(_HEADER.encode()):
                path.unlink()  # of an earlier state of this run; another file of that name stays
        return
    lines = [_HEADER]
    for (video, frame), objects in rows.items():
        names = f"{csv_cell(video)},{csv_cell(frame)}"
        lines += [f"{names},{number},{sure:.4f}" for number, sure in objects.items()]
    write_bytes_atomically(path, "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"))


def read_objects_csv(path: Path) -> Objects:
    """Read what `write_objects_csv` wrote; nothing where there is no such file.

    Raises:
        DataError: the file is unreadable, or has other columns or values.
    """
    if not path.exists():
        return {}
    hint = "run the same command again, which writes it anew"
    try:
        text = read_regular(path).decode("utf-8", "surrogateescape")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (OSError, csv.Error) as error:
        raise DataError(f"cannot read {path}: {error}", hint) from error
    if not rows or tuple(rows[0]) != COLUMNS:
        found = ",".join(rows[0]) if rows else "nothing"
        raise DataError(f"{path}: expected the header {_HEADER}, found {found}", hint)
    objects: Objects = {}
    for line, row in enumerate(rows[1:], start=2):
        try:
            video, frame, number, sure = map(plain_cell, row)
            objects.setdefault((video, frame), {})[int(number)] = float(sure)
        except ValueError as error:
            raise DataError(f"{path}, row {line}: {error}", hint) from error
    return objects
