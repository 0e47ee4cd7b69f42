"""Is an image file whole? Decoders fill up what is missing, so truncation is looked for in the bytes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def find_damage(data: bytes) -> str:
    """What is wrong with the bytes of a JPEG or PNG file, "" if nothing is or the format is another one."""
    if not data:
        return "empty file"
    if data.startswith(b"\xff\xd8"):
        return _jpeg_damage(data)
    if data.startswith(PNG_SIGNATURE):
        try:
            for _ in png_chunks(data):
                pass
        except ValueError as error:
            return str(error)
    return ""


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The (type, payload) chunks of a PNG file up to IEND, checksums verified.

    Raises:
        ValueError: no PNG, truncated, or a checksum is wrong.
    """
    if not data.startswith(PNG_SIGNATURE):
        raise ValueError("not a PNG file")
    position = len(PNG_SIGNATURE)
    while True:
        header = data[position : position + 8]
        if len(header) < 8:
            raise ValueError(f"truncated after {len(data)} bytes")
        length, kind = struct.unpack(">I4s", header)
        body = data[position + 8 : position + 8 + length]
        checksum = data[position + 8 + length : position + 12 + length]
        if len(body) < length or len(checksum) < 4:
            raise ValueError(f"truncated after {len(data)} bytes")
        if zlib.crc32(body, zlib.crc32(kind)) != int.from_bytes(checksum, "big"):
            raise ValueError(f"damaged: wrong checksum in its {kind.decode('ascii', 'replace')} chunk")
        yield kind, body
        if kind == b"IEND":
            return
        position += 12 + length


def _jpeg_damage(data: bytes) -> str:
    position = 2
    # Skip the headers, for an embedded thumbnail has an end marker of its own.
    while True:
        segment = data[position : position + 4]
        if len(segment) < 4:
            return f"truncated after {len(data)} bytes"
        if segment[0] != 0xFF:
            return f"damaged: no marker at byte {position}"
        if segment[1] == 0xFF:  # padding before a marker
            position += 1
        elif segment[1] == 0xDA:  # start of scan: entropy-coded data, where FF D9 can only be the end
            return "" if data.find(b"\xff\xd9", position) != -1 else f"truncated after {len(data)} bytes"
        else:
            position += 2 + int.from_bytes(segment[2:4], "big")
