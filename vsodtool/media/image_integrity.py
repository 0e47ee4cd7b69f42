"""Is an image file whole, and one picture? This is looked for in the bytes.

Decoders fill up what is missing, show the first of several pages, and believe any size.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
LARGEST_PIXELS = 2**27  # of a picture or frame: 16K video has 133 million; more is refused as damage

_TIFF_SUBFILE, _TIFF_WIDTH, _TIFF_HEIGHT, _TIFF_BITS = _TIFF_TAGS = (254, 256, 257, 258)
_TIFF_BYTES = {1: 1, 3: 2, 4: 4, 16: 8}  # of the integer types of its tags
_NOT_A_PAGE = 0b101  # a reduced copy (thumbnail, pyramid), or a transparency mask
_MOST_PAGES = 10**6


def find_damage(data: bytes) -> str:
    """What is wrong with the bytes of an image file, "" if nothing is or the format is not known here.

    JPEG and PNG are looked through for truncation; of these, TIFF, WebP and BMP the size is looked at.
    """
    if not data:
        return "empty file"
    try:
        width, height = 0, 0
        if data.startswith(b"\xff\xd8"):
            width, height = _check_jpeg(data)
        elif data.startswith(PNG_SIGNATURE):
            for kind, body in png_chunks(data):
                if kind == b"IHDR" and len(body) >= 8:
                    width, height = struct.unpack(">II", body[:8])
        elif _is_webp(data):
            width, height = _webp_size(data)
        elif data.startswith(b"BM"):
            width, height = (abs(side) for side in struct.unpack("<ii", data[18:26].ljust(8, b"\0")))
        elif _is_tiff(data):
            page = _tiff_pages(data)[0]
            width, height = page.width, page.height
    except ValueError as error:
        return str(error)
    if width * height > LARGEST_PIXELS:
        return f"damaged or too large: it announces {width}x{height} pixels"
    return ""


def find_pages(data: bytes) -> str:
    """That an image file holds several pictures, as a phrase; "" if it holds one, or is damaged."""
    try:
        pages = count_pages(data)
    except ValueError:
        return ""
    return (
        f"holds {pages} pages, not one picture (given as INPUT itself, its pages are the frames)"
        if pages > 1
        else ""
    )


def count_pages(data: bytes) -> int:
    """Number of pictures in an image file: pages of a TIFF, frames of an animated PNG or WebP; else 1.

    Raises:
        ValueError: the file is damaged.
    """
    if _is_tiff(data):
        return len(_tiff_pages(data))
    if data.startswith(PNG_SIGNATURE) and b"acTL" in data[: data.find(b"IDAT")]:
        return next(
            (int.from_bytes(body[:4], "big") for kind, body in png_chunks(data) if kind == b"acTL"), 1
        )
    if _is_webp(data):
        return max(sum(kind == b"ANMF" for kind, _ in _riff_chunks(data)), 1)
    return 1


def may_have_pages(head: bytes) -> bool:
    """Whether a file that begins so (12 bytes) is of a kind that may hold several pictures."""
    return head.startswith(PNG_SIGNATURE) or _is_webp(head) or _is_tiff(head)


def has_picture_apart(data: bytes) -> bool:
    """Whether the first picture of an animated PNG is none of its frames, but for who does not animate it.

    Raises:
        ValueError: the file is damaged.
    """
    if not data.startswith(PNG_SIGNATURE):
        return False
    kinds = (kind for kind, _ in png_chunks(data) if kind in (b"fcTL", b"IDAT"))
    return count_pages(data) > 1 and next(kinds, b"") == b"IDAT"


def has_deep_pixels(data: bytes, page: int = 0) -> bool:
    """Whether a page of an image file has more than 8 bits a channel; of a PNG, its first 32 bytes do."""
    if data.startswith(PNG_SIGNATURE):
        return data[24:25] == b"\x10"
    if not _is_tiff(data):
        return False
    pages = _tiff_pages(data)
    return page < len(pages) and pages[page].bits > 8


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


def _check_jpeg(data: bytes) -> tuple[int, int]:
    """(width, height) of a whole JPEG, (0, 0) if it does not say."""
    position, size = 2, (0, 0)
    # Skip the headers, for an embedded thumbnail has an end marker of its own.
    while True:
        segment = data[position : position + 9]
        if len(segment) < 4:
            raise ValueError(f"truncated after {len(data)} bytes")
        if segment[0] != 0xFF:
            raise ValueError(f"damaged: no marker at byte {position}")
        if segment[1] == 0xFF:  # padding before a marker
            position += 1
            continue
        if segment[1] == 0xDA:  # start of scan: entropy-coded data, where FF D9 can only be the end
            if data.find(b"\xff\xd9", position) == -1:
                raise ValueError(f"truncated after {len(data)} bytes")
            return size
        if 0xC0 <= segment[1] <= 0xCF and segment[1] not in (0xC4, 0xC8, 0xCC) and len(segment) == 9:
            height, width = struct.unpack(">HH", segment[5:9])
            size = (width, height)
        position += 2 + int.from_bytes(segment[2:4], "big")


def _is_webp(data: bytes) -> bool:
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def _riff_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(type, first ten bytes) of the chunks of a WebP file."""
    position, end = 12, 8 + int.from_bytes(data[4:8], "little")
    if end > len(data) + 1:  # some writers leave the padding away
        raise ValueError(f"truncated: {end - len(data)} of {end} bytes are missing")
    while position + 8 <= len(data):
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        yield data[position : position + 4], data[position + 8 : position + 18]
        position += 8 + length + length % 2


def _webp_size(data: bytes) -> tuple[int, int]:
    kind, head = next(_riff_chunks(data), (b"", b""))
    if kind == b"VP8X" and len(head) == 10:  # the only kind that can announce more than 16383x16383
        return 1 + int.from_bytes(head[4:7], "little"), 1 + int.from_bytes(head[7:10], "little")
    return 0, 0


def _is_tiff(data: bytes) -> bool:
    return data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(frozen=True)
class _Page:
    width: int = 0
    height: int = 0
    bits: int = 8


def _tiff_pages(data: bytes) -> list[_Page]:
    """The pages of a TIFF or BigTIFF, thumbnails and masks left out; at least one."""
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    big = data[2:4] in (b"+\0", b"\0+")
    wide, entry, head = (8, 20, 8) if big else (4, 12, 2)

    def number(position: int, length: int) -> int:
        found = data[position : position + length]
        if len(found) < length:
            raise ValueError(f"truncated after {len(data)} bytes")
        return int.from_bytes(found, order)

    pages: list[_Page] = []
    seen: set[int] = set()
    place = number(8 if big else 4, wide)
    while place and place not in seen and len(seen) < _MOST_PAGES:
        seen.add(place)
        count = number(place, head)
        tags: dict[int, int] = {}
        for at in range(place + head, place + head + count * entry, entry):
            tag, length, values = number(at, 2), _TIFF_BYTES.get(number(at + 2, 2)), number(at + 4, wide)
            if length is not None and tag in _TIFF_TAGS:
                inside = values * length <= wide  # else the values stand elsewhere
                tags[tag] = number(at + 4 + wide if inside else number(at + 4 + wide, wide), length)
        if not tags.get(_TIFF_SUBFILE, 0) & _NOT_A_PAGE:
            pages.append(_Page(tags.get(_TIFF_WIDTH, 0), tags.get(_TIFF_HEIGHT, 0), tags.get(_TIFF_BITS, 1)))
        place = number(place + head + count * entry, wide)
    return pages or [_Page()]
