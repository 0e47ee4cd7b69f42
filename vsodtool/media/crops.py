"""Pictures and labels as networks want them: a box of the file, resized to a square."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vsodtool.errors import DataError
from vsodtool.media.bit_depth import Levels
from vsodtool.media.images import decode_picture, read_rgb
from vsodtool.media.masks.encoding import MaskEncoding
from vsodtool.media.masks.reading import read_raw_mask
from vsodtool.media.regular_file import read_regular
from vsodtool.types import ImageArray, Size

FloatMap = npt.NDArray[np.float32]

_REDUCED = {8: cv2.IMREAD_REDUCED_COLOR_8, 4: cv2.IMREAD_REDUCED_COLOR_4, 2: cv2.IMREAD_REDUCED_COLOR_2}


@dataclass(frozen=True)
class Box:
    """A part of a picture, in shares of its height and width, so that it fits pictures of every size.

    Attributes:
        top: in [0, 1), as `left`.
        left: see above.
        height: in (0, 1], top + height at most 1; as `width`.
        width: see above.
    """

    top: float = 0.0
    left: float = 0.0
    height: float = 1.0
    width: float = 1.0

    def pixels(self, size: Size) -> tuple[slice, slice]:
        """Rows and columns of a picture of this size, at least one of each."""
        return _span(self.top, self.height, size[0]), _span(self.left, self.width, size[1])


WHOLE = Box()


def read_crop(path: Path, size: Size, box: Box, side: int, levels: Levels | None = None) -> ImageArray:
    """A box of a picture, resized to a square.

    Pictures much larger than the square are decoded at a half, a quarter or an eighth of their size where the
    format (JPEG) makes that cheaper.

    Args:
        path: the picture; EXIF orientation is applied.
        size: its (H, W), as found when it was validated.
        box: the part to take.
        side: of the square in pixels.
        levels: what the pixels are stretched by; None where they have 8 bit.

    Returns:
        uint8 (side, side, 3) RGB.

    Raises:
        DataError: the file cannot be read any more, or has another size.
    """
    room = min(box.height * size[0], box.width * size[1]) / side
    factor = next((factor for factor in _REDUCED if room >= factor), 1) if levels is None else 1
    rgb = _decode_reduced(path, factor) if levels is None else read_rgb(path, levels)
    expected = (-(-size[0] // factor), -(-size[1] // factor))
    if rgb.shape[:2] != expected:
        raise DataError(
            f"{path}: expected {size[1]}x{size[0]} as before training, found another size",
            "do not change the data while training runs",
        )
    rows, columns = box.pixels((rgb.shape[0], rgb.shape[1]))
    return _resize(rgb[rows, columns], side).astype(np.uint8, copy=False)


def _decode_reduced(path: Path, factor: int) -> ImageArray:
    try:
        data = np.frombuffer(read_regular(path), np.uint8)
        bgr = cv2.imdecode(data, _REDUCED.get(factor, cv2.IMREAD_COLOR)) if data.size else None
    except (OSError, cv2.error) as error:
        raise DataError(f"{path}: expected a picture, found a file that cannot be read: {error}") from error
    if bgr is not None:
        return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
    try:
        whole = decode_picture(path)  # of a rare format
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: expected a picture, found {data.size} bytes that do not decode", "replace it"
        ) from error
    size = (-(-whole.shape[1] // factor), -(-whole.shape[0] // factor))
    return cv2.resize(whole, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def read_label(path: Path, encoding: MaskEncoding) -> npt.NDArray[np.bool_]:
    """The salient pixels of a mask file, bool (H, W): every object counts.

    Raises:
        DataError: the file cannot be read any more.
    """
    return encoding.labels(read_raw_mask(path)) > 0


def crop_map(values: npt.NDArray[Any], box: Box, side: int) -> FloatMap:
    """A box of a map (H, W), resized to a square: float32 (side, side), edges become partial values."""
    rows, columns = box.pixels((values.shape[0], values.shape[1]))
    return _resize(values[rows, columns].astype(np.float32), side).astype(np.float32, copy=False)


def _resize(picture: npt.NDArray[Any], side: int) -> npt.NDArray[Any]:
    # INTER_AREA does not alias, but is nearest-neighbour where it enlarges.
    shrinks = min(picture.shape[:2]) >= side
    mode = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(np.ascontiguousarray(picture), (side, side), interpolation=mode)


def _span(start: float, length: float, pixels: int) -> slice:
    first = min(int(start * pixels + 0.5), pixels - 1)
    return slice(first, max(min(int((start + length) * pixels + 0.5), pixels), first + 1))
