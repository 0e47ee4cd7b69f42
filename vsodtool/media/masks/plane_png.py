"""PNG of masks: a reader for palette files, and a fast writer.

OpenCV hands out the colours of a palette file only, but annotators' ids are the indices. And masks are so
flat that unfiltered rows at zlib level 1 take a fraction of the time that libpng needs.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from vsodtool.media.image_integrity import PNG_SIGNATURE, png_chunks

_GREY_TYPE, _RGB_TYPE, _PALETTE_TYPE, _RGBA_TYPE = 0, 2, 3, 6


@dataclass(frozen=True)
class Palette:
    """The colours of a palette PNG.

    Attributes:
        colours: RGB triples one after the other, at most 256 of them.
        alphas: one byte of opacity per colour from the first on, may be shorter or empty.
    """

    colours: bytes
    alphas: bytes = b""

    def colour(self, index: int) -> bytes:
        """RGB of an index; black beyond the end."""
        return self.colours[3 * index : 3 * index + 3] or b"\0\0\0"


def is_palette_png(data: bytes) -> bool:
    """Whether these are the bytes of a PNG with a palette (only the header is looked at)."""
    return data.startswith(PNG_SIGNATURE) and data[12:16] == b"IHDR" and data[25:26] == bytes([_PALETTE_TYPE])


def decode_palette_png(data: bytes) -> tuple[npt.NDArray[np.uint8], Palette]:
    """Indices, uint8 (H, W), and colours of a palette PNG of any bit depth.

    Raises:
        ValueError: it is damaged, or no palette PNG.
    """
    chunks = {kind: body for kind, body in png_chunks(data) if kind in (b"PLTE", b"tRNS")}
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.mode != "P":
                raise ValueError(f"expected a palette PNG, found mode {image.mode}")
            indices = np.array(image, dtype=np.uint8)
    except (OSError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ValueError(f"does not decode: {error}") from error
    return indices, Palette(chunks.get(b"PLTE", b""), chunks.get(b"tRNS", b""))


def encode_plane_png(
    plane: npt.NDArray[np.uint8] | npt.NDArray[np.uint16], palette: Palette | None = None
) -> bytes:
    """A PNG of 8 or 16 bit; the same pixels give the same bytes.

    Args:
        plane: uint8 or uint16: (H, W) grey values, or indices (uint8) if there is a palette; (H, W, 3) RGB or
            (H, W, 4) RGBA.
        palette: the colours, all of which are written; grey if None.
    """
    height, width = plane.shape[:2]
    depth = plane.dtype.itemsize
    samples = plane.astype(f">u{depth}").view(np.uint8).reshape(height, -1)
    # The byte before each row says: not filtered. Samples are big-endian.
    rows = np.zeros((height, 1 + samples.shape[1]), np.uint8)
    rows[:, 1:] = samples
    kind = _PALETTE_TYPE
    if palette is None:
        kind = _GREY_TYPE if plane.ndim == 2 else {3: _RGB_TYPE, 4: _RGBA_TYPE}[plane.shape[2]]
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8 * depth, kind, 0, 0, 0))]
    if palette is not None:
        chunks.append((b"PLTE", palette.colours))
        if palette.alphas:
            chunks.append((b"tRNS", palette.alphas))
    chunks += [(b"IDAT", zlib.compress(rows.tobytes(), 1)), (b"IEND", b"")]
    return PNG_SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))
        for kind, body in chunks
    )
