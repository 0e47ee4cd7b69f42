"""Is a video file what its container says? A cut file is shorter; a damaged one may announce anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from vsodtool.media.regular_file import open_regular

_EBML_HEADER = 0x1A45DFA3
_MATROSKA_SEGMENT = 0x18538067
_FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")


def describe_missing_bytes(path: Path) -> str:
    """What of a video file is not there, as a phrase; "" if it is whole or the container does not tell.

    Only headers are read (mp4 and mov boxes, RIFF, Matroska segment, the last byte of a GIF).

    Raises:
        OSError: the file cannot be read.
    """
    size = path.stat().st_size
    with open_regular(path) as file:
        head = file.read(12)
        if head[:4] == b"GIF8":
            file.seek(-1, 2)
            return "" if file.read(1) in (b";", b"\0") else "the end marker of the GIF is missing"
        if head[:4] == b"RIFF":
            expected = 8 + int.from_bytes(head[4:8], "little")
        elif head[:4] == _EBML_HEADER.to_bytes(4, "big"):
            expected = _matroska_end(file)
        elif head[4:8] in _FIRST_BOXES:
            expected = _boxes_end(file, size)
        else:
            expected = 0
    missing = expected - size
    # RIFF sizes are padded to even by some writers and not by others.
    return f"{missing} of {expected} bytes of the file are missing" if missing > 1 else ""


def find_absurd_length(path: Path) -> str:
    """A number of samples that no file of this size can hold, as a phrase; "" if there is none.

    Of mp4 and mov files, whose tables FFmpeg sets up as long as they claim to be: each sample has an entry in
    its table, or all have one length and lie in the file.

    Raises:
        OSError: the file cannot be read.
    """
    size = path.stat().st_size
    with open_regular(path) as file:
        if file.read(12)[4:8] not in _FIRST_BOXES:
            return ""
        for kind, start, end in _boxes(file, size):
            if kind in (b"moov", b"moof"):
                file.seek(start)
                data = file.read(min(end, size) - start)
                most = max(size, end)
                for count in _sample_counts(data):
                    if count > most:
                        return f"it announces {count} samples in {most} bytes"
    return ""


def _sample_counts(data: bytes) -> Iterator[int]:
    """Least number of bytes of samples, or entries, that each table of samples announces."""
    for kind in (b"stsz", b"stz2", b"stts", b"ctts", b"trun"):
        place = data.find(kind)
        while place != -1:
            table = data[place + 4 : place + 20]
            fields = [int.from_bytes(table[k : k + 4], "big") for k in (0, 4, 8)]
            if kind == b"stsz":
                yield max(fields[1], 1) * fields[2]
            else:
                yield fields[2] if kind == b"stz2" else fields[1]
            place = data.find(kind, place + 4)


def _boxes_end(file: BinaryIO, size: int) -> int:
    """End of the last top-level box of an mp4 or mov file."""
    return max((end for _, _, end in _boxes(file, size)), default=0)


def _boxes(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """(type, start, end) of the top-level boxes of an mp4 or mov file; the last may end beyond the file."""
    position = 0
    while position + 8 <= size:
        file.seek(position)
        length, kind = int.from_bytes(file.read(4), "big"), file.read(4)
        if length == 1:  # a 64-bit length follows the type
            length = int.from_bytes(file.read(8), "big")
        end = position + length if length >= 8 else size  # 0: "to the end of the file"
        yield kind, position, end
        position = end


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
