"""frames.csv: one row per frame, how its mask came about and how far to trust it (contract, section 4)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.media.output.tables.table import read_table
from vsodtool.types import FrameRecord, FrameStatus

# `'*`: what looks like an escaped formula is escaped too, so that every text comes back.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?|inf|nan)")

COLUMNS = ("video", "frame", "status", "left", "right", "confidence")


def write_frames_csv(path: Path, records: Iterable[FrameRecord]) -> None:
    """Write the rows in the given order, UTF-8, confidence with six decimals.

    Raises:
        DeviceError: the file cannot be written.
    """
    lines = [",".join(COLUMNS)]
    for record in records:
        names = (record.video, record.frame, record.status.value, record.left, record.right)
        lines.append(",".join([*map(csv_cell, names), f"{record.confidence:.6f}"]))
    # surrogateescape: file names that are not UTF-8 come back as the bytes that they are on the disk.
    write_bytes_atomically(path, "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"))


def read_frames_csv(path: Path) -> list[FrameRecord]:
    """Read what `write_frames_csv` wrote.

    Raises:
        DataError: the file is missing, unreadable, or has other columns or values.
    """
    return read_table(path, COLUMNS, _record, "restore the file, or run again with --overwrite")


def read_rows_by_video(path: Path) -> dict[str, list[FrameRecord]]:
    """The same rows by video, each and the frames of each in the order of the table.

    Raises:
        DataError: as `read_frames_csv`.
    """
    rows: dict[str, list[FrameRecord]] = {}
    for record in read_frames_csv(path):
        rows.setdefault(record.video, []).append(record)
    return rows


def _record(row: list[str]) -> FrameRecord:
    video, frame, status, left, right, confidence = map(plain_cell, row)
    return FrameRecord(video, frame, FrameStatus(status), left, right, float(confidence))


def csv_cell(text: str) -> str:
    """`text` as one cell, quoted where it has to be.

    What a spreadsheet would take for a formula gets an apostrophe in front, which `plain_cell` takes off.
    """
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        text = f"'{text}"
    # By hand: Python 3.11's csv.writer leaves a carriage return unquoted when lines end in "\n".
    if any(character in text for character in '",\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def plain_cell(cell: str) -> str:
    """The text that `csv_cell` was given, from a cell whose quotes are off."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
