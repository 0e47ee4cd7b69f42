"""What the tool wrote, by size and hash, so that the next run knows what is still so.

A file that exists is not a file that is right: it may be cut by a power failure, emptied by a full disk, or
drawn on by a person. The first two are damage and are made again; the last is the person's.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from vsodtool.errors import DataError
from vsodtool.media.atomic import disk_errors
from vsodtool.media.image_integrity import PNG_SIGNATURE
from vsodtool.media.masks.reading import read_raw_mask
from vsodtool.media.output.layout import OutputLayout
from vsodtool.types import Size


@dataclass(frozen=True, slots=True)
class Stamp:
    """A file as it was written.

    Attributes:
        size: bytes.
        sha256: of the content, in hexadecimal.
        picture: (H, W) of a PNG, None for other files.
    """

    size: int
    sha256: str
    picture: Size | None = None


class Condition(Enum):
    """What became of a file that was written."""

    INTACT = "as it was written"
    DAMAGED = "gone, cut, unreadable, or of another size"
    EDITED = "a readable mask of the right size, drawn on by somebody"


def stamp(path: Path) -> Stamp:
    """The stamp of a file that has just been written.

    Raises:
        DeviceError: it cannot be read.
    """
    with disk_errors(path), path.open("rb") as file:
        head = file.read(24)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = os.fstat(file.fileno()).st_size
    return Stamp(size, digest, _size_of_png(head))


def _size_of_png(head: bytes) -> Size | None:
    """(H, W) by the first 24 bytes of a PNG, None of another file."""
    if not head.startswith(PNG_SIGNATURE) or len(head) < 24:
        return None
    width, height = struct.unpack(">II", head[16:24])
    return height, width


def condition(path: Path, written: Stamp | None, *, editable: bool) -> Condition:
    """What became of a file.

    Args:
        path: the file.
        written: as it was written; None if that is not known.
        editable: it is a mask, which people draw on.

    Raises:
        DeviceError: the disk fails.
    """
    if written is None or not path.is_file():
        return Condition.DAMAGED
    if path.stat().st_size == written.size and stamp(path) == written:
        return Condition.INTACT
    if not editable or written.picture is None:
        return Condition.DAMAGED
    try:
        found = read_raw_mask(path)
    except DataError:
        return Condition.DAMAGED
    return Condition.EDITED if found.size == written.picture else Condition.DAMAGED


def other_size(path: Path, written: Stamp | None) -> Size | None:
    """(H, W) of a mask that somebody saved in another size than it was written; None of any other file.

    Args:
        path: the file.
        written: as it was written; None if that is not known.

    Raises:
        DeviceError: the disk fails.
    """
    if written is None or written.picture is None or not path.is_file():
        return None
    with disk_errors(path), path.open("rb") as file:
        head = file.read(24)
    if _size_of_png(head) == written.picture:
        return None
    try:
        found = read_raw_mask(path).size
    except DataError:
        return None
    return None if found == written.picture else found


def known_condition(layout: OutputLayout, path: Path, files: Mapping[str, Stamp]) -> Condition:
    """What became of an output file, by what is known to have been written.

    Args:
        layout: the output folder.
        path: a file in it.
        files: what was written, by paths from the output folder.

    Raises:
        DeviceError: the disk fails.
    """
    written = files.get(path.relative_to(layout.root).as_posix())
    return condition(path, written, editable=path.is_relative_to(layout.root / "masks"))
