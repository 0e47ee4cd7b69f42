"""How a picture is to be turned before it is shown: the orientation that EXIF states.

OpenCV turns what it decodes in colour or grey by itself. Pixels that are read as they are stored, as those of
masks are, are turned here, so that a mask lies over its frame as every viewer shows it.
"""

from __future__ import annotations

import io
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from PIL import Image

ORIENTATION = 0x0112  # the EXIF tag
UPRIGHT = 1
_MARKS = ((b"\xff\xd8", b"Exif"), (b"\x89PNG", b"eXIf"), (b"RIFF", b"EXIF"))  # formats, and their EXIF

PixelsT = TypeVar("PixelsT", bound=npt.NDArray[Any])


def stated_orientation(data: bytes) -> int:
    """The EXIF orientation, 1 to 8, of the bytes of a JPEG, PNG or WebP; 1 of others, and if none is stated.

    TIFF is not among them: its decoders turn it.
    """
    mark = next((mark for head, mark in _MARKS if data.startswith(head)), None)
    if mark is None or mark not in data:  # asked first: Pillow would decode a PNG to find out
        return UPRIGHT
    try:
        with Image.open(io.BytesIO(data)) as picture:
            found = picture.getexif().get(ORIENTATION, UPRIGHT)
    except Exception:  # noqa: BLE001 - whatever damaged metadata make of it: the pixels can still be read
        return UPRIGHT
    return found if found in range(1, 9) else UPRIGHT


def swaps_sides(orientation: int) -> bool:
    """Whether height and width change places."""
    return orientation in (5, 6, 7, 8)


def turn_upright(pixels: PixelsT, orientation: int) -> PixelsT:
    """Pixels (H, W) or (H, W, C) as they are to be shown."""
    turned: npt.NDArray[Any] = pixels.swapaxes(0, 1) if swaps_sides(orientation) else pixels
    if orientation in (3, 4, 7, 8):
        turned = turned[::-1]
    if orientation in (2, 3, 6, 7):
        turned = turned[:, ::-1]
    return cast(PixelsT, np.ascontiguousarray(turned))
