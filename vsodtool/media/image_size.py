"""The size of a picture without decoding it, and whether its file is whole."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from vsodtool.errors import DataError
from vsodtool.media.image_integrity import find_damage
from vsodtool.media.regular_file import read_regular
from vsodtool.types import Size

_ORIENTATION = 0x0112  # EXIF; values from 5 on exchange height and width
_TRANSPOSED = 5


def read_image_size(path: Path) -> Size:
    """(H, W) of a picture as it is decoded, EXIF orientation applied.

    Raises:
        DataError: the file is missing, damaged or no picture.
    """
    try:
        data = read_regular(path)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}", "check the path") from error
    damage = find_damage(data)
    if damage:
        raise DataError(f"{path}: expected a picture, found a file that is damaged: {damage}", "replace it")
    try:
        with Image.open(io.BytesIO(data)) as picture:
            width, height = picture.size
            turned = picture.getexif().get(_ORIENTATION, 1) >= _TRANSPOSED
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise DataError(
            f"{path}: expected a picture, found {len(data)} bytes of something else", "replace it"
        ) from error
    return (width, height) if turned else (height, width)
