"""Single images: PNG out, any picture in. Frames of videos belong to `frames`, masks to `masks`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vsodtool.errors import DataError
from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.media.regular_file import read_regular
from vsodtool.types import ImageArray


def use_one_thread() -> None:
    """For this process: no threads inside OpenCV. For processes that work side by side."""
    cv2.setNumThreads(0)


def encode_png(image: npt.NDArray[Any], level: int = 1) -> bytes:
    """A PNG file in memory; the same pixels give the same bytes.

    Args:
        image: uint8 (H, W, 3) RGB, or uint8 or uint16 (H, W) grey.
        level: zlib level from 0 to 9; 1 is fast, 9 is small.

    Raises:
        DataError: the array is none of these, or has no pixels.
    """
    grey = image.ndim == 2 and image.dtype in (np.uint8, np.uint16)
    colour = image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8
    if not (grey or colour) or image.size == 0:
        raise DataError(
            f"expected uint8 (H, W, 3), or uint8 or uint16 (H, W), found {image.dtype} {image.shape}",
            "convert the array before it is written",
        )
    pixels = image if grey else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, level])
    return data.tobytes()


def write_png(path: Path, image: npt.NDArray[Any], level: int = 1) -> None:
    """Write an image (see `encode_png`) atomically.

    Raises:
        DataError: the array cannot be a PNG.
        DeviceError: the disk is full or not writable.
    """
    write_bytes_atomically(path, encode_png(image, level))


def read_rgb(path: Path) -> ImageArray:
    """Read a picture as uint8 (H, W, 3) RGB; EXIF orientation is applied.

    Raises:
        DataError: the file is missing or no picture.
    """
    rgb: ImageArray = cv2.cvtColor(_read(path, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB).astype(
        np.uint8, copy=False
    )
    return rgb


def read_grey(path: Path) -> npt.NDArray[np.uint8]:
    """Read a picture as uint8 (H, W); colours are turned grey.

    Raises:
        DataError: the file is missing or no picture.
    """
    return _read(path, cv2.IMREAD_GRAYSCALE).astype(np.uint8, copy=False)


def _read(path: Path, mode: int) -> npt.NDArray[Any]:
    # Not cv2.imread: it fails on some non-ASCII paths, and says nothing about a missing file.
    try:
        data = read_regular(path)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}", "check the path") from error
    image = cv2.imdecode(np.frombuffer(data, np.uint8), mode) if data else None
    if image is None:
        raise DataError(
            f"{path}: expected a picture, found {len(data)} bytes that do not decode", "replace the file"
        )
    return image
