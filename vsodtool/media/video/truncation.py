"""Is a video file whole? Its container says how long it is; a cut file is shorter."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

_EBML_HEADER = 0x1A45DFA3
_MATROSKA_SEGMENT = 0x18538067


def describe_missing_bytes(path: Path) -> str:
    """What of a video file is not there, as a phrase; "" if it is whole or the container does not tell.

    Only headers are read (mp4 and mov boxes, RIFF, Matroska segment, the last byte of a GIF).

    Raises:
        OSError: the file cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] == b"GIF8":
            file.seek(-1, 2)
            return "" if file.read(1) in (b";", b"\0") else "the end marker of the GIF is missing"
        if head[:4] == b"RIFF":
            expected = 8 + int.from_bytes(head[4:8], "little")
        elif head[:4] == _EBML_HEADER.to_bytes(4, "big"):
            expected = _matroska_end(file)
        elif head[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide"):
            expected = _boxes_end(file, size)
        else:
            expected = 0
    missing = expected - size
    # RIFF sizes are padded to even by some writers and not by others.
    return f"{missing} of {expected} bytes of the file are missing" if missing > 1 else ""


def _boxes_end(file: BinaryIO, size: int) -> int:
    """End of the last top-level box of an mp4 or mov file."""
    position = 0
    while position + 8 <= size:
        file.seek(position)
        length = int.from_bytes(file.read(4), "big")
        if length == 1:  # a 64-bit length follows the type
            file.seek(position + 8)
            length = int.from_bytes(file.read(8), "big")
        if length < 8:  # 0: "to the end of the file"
            return size
        position += length
    return position


def _matroska_end(file: BinaryIO) -> int:
    """End of the segment of a Matroska or WebM file, 0 if it was written without a length."""
    file.seek(0)
    for wanted in (_EBML_HEADER, _MATROSKA_SEGMENT):
        identifier = int.from_bytes(file.read(4), "big")
        length = _ebml_length(file)
        if identifier != wanted or length is None:
            return 0
        if wanted == _MATROSKA_SEGMENT:
            return file.tell() + length
        file.seek(length, 1)
    return 0


def _ebml_length(file: BinaryIO) -> int | None:
    """A variable-length EBML integer; None if it says "unknown" or is broken."""
    first = file.read(1)
    if not first or first[0] == 0:
        return None
    extra = 8 - first[0].bit_length()
    mask = (1 << (7 - extra)) - 1
    value = ((first[0] & mask) << (8 * extra)) | int.from_bytes(file.read(extra), "big")
    return None if value == (1 << (7 * (extra + 1))) - 1 else value
