"""Pictures inside annotation files: PNG as base64, as bytes, as a member of a zip; sizes before pixels."""

from __future__ import annotations

import base64
import binascii
import io
import struct
import zlib

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from vsodtool.media.annotations.runs import MaskArray
from vsodtool.media.image_integrity import LARGEST_PIXELS, PNG_SIGNATURE
from vsodtool.types import Size

_LARGEST_SIDE = 2**16
_HEAD = 24  # bytes up to the size, which every PNG begins with


def from_base64(text: str) -> bytes:
    """The bytes of base64.

    Raises:
        ValueError: it is damaged.
    """
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"expected base64, found damage: {error}") from error


def to_base64(data: bytes) -> str:
    """Bytes as base64."""
    return base64.b64encode(data).decode("ascii")


def inflate(data: bytes, most: int) -> bytes:
    """The bytes of a zlib stream.

    Raises:
        ValueError: it is damaged, or holds more than `most` bytes.
    """
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(data, most + 1)
    except zlib.error as error:
        raise ValueError(f"expected a zlib stream, found damage: {error}") from error
    if len(found) > most:
        raise ValueError(f"expected at most {most} bytes in a zlib stream, found more")
    return found


def open_png(data: bytes, largest: Size | None = None) -> Image.Image:
    """A PNG, decoded; its size is read and compared first, so that a bomb is not unpacked.

    Args:
        data: the file.
        largest: (H, W) that it may have at most, None for 65,536 a side.

    Raises:
        ValueError: it is no PNG, damaged, or larger.
    """
    if not data.startswith(PNG_SIGNATURE) or len(data) < _HEAD:
        raise ValueError("expected a PNG, found other bytes")
    most_height, most_width = largest or (_LARGEST_SIDE, _LARGEST_SIDE)
    width, height = struct.unpack(">II", data[_HEAD - 8 : _HEAD])
    if height > most_height or width > most_width or height * width > LARGEST_PIXELS:
        most = f"{most_width}x{most_height}" if largest else f"{LARGEST_PIXELS} pixels"
        raise ValueError(f"expected a picture of at most {most}, found {width}x{height}")
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            return image.copy()
    except (OSError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ValueError(f"expected a PNG, found a damaged one: {error}") from error


def nonzero(image: Image.Image) -> MaskArray:
    """Where a grey, palette or bilevel picture is not 0; of colour, where any channel is not 0."""
    pixels: npt.NDArray[np.uint8] = np.asarray(image)
    drawn: MaskArray = pixels != 0 if pixels.ndim == 2 else (pixels[..., :3] != 0).any(-1)
    return drawn


def opaque(image: Image.Image) -> MaskArray:
    """Where the opacity of a picture is above one half."""
    alpha: npt.NDArray[np.uint8] = np.asarray(image.convert("RGBA"))[..., 3]
    return alpha > 127


def has_transparency(image: Image.Image) -> bool:
    """Whether a picture stores opacity at all."""
    return image.mode in ("LA", "RGBA", "PA") or "transparency" in image.info


def bilevel_png(mask: MaskArray) -> bytes:
    """A 8-bit grey PNG of 0 and 1, as LabelMe writes it."""
    buffer = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8)).save(buffer, "PNG", optimize=False)
    return buffer.getvalue()


def transparent_png(mask: MaskArray) -> bytes:
    """Black on transparent, as Label Studio's bitmasks are."""
    pixels = np.zeros((*mask.shape, 2), np.uint8)
    pixels[..., 1] = mask * np.uint8(255)
    buffer = io.BytesIO()
    Image.fromarray(pixels, "LA").convert("RGBA").save(buffer, "PNG")
    return buffer.getvalue()
