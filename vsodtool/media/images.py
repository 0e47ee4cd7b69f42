"""Single images: PNG out, any picture in. Frames of videos belong to `video`, masks to `masks`."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from vsodtool.errors import DataError
from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.media.bit_depth import Levels, find_levels
from vsodtool.media.image_integrity import PNG_SIGNATURE, find_damage, find_pages, has_deep_pixels
from vsodtool.media.orientation import ORIENTATION, UPRIGHT, swaps_sides
from vsodtool.media.regular_file import open_regular, read_regular
from vsodtool.types import ImageArray, Size

JPEG = "image/jpeg"
_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257
_EXTRA = {"LA", "PA", "La", "RGBA", "RGBa", "RGBX"}  # modes of Pillow whose last channel is none of R, G, B


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


def encode_jpeg(image: ImageArray, quality: int) -> bytes:
    """A JPEG file in memory of uint8 (H, W, 3) RGB; `quality` from 0 to 100."""
    _, data = cv2.imencode(
        ".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    return data.tobytes()


def shown_type(data: bytes) -> str:
    """The media type of a picture that every browser shows as `decode_picture` reads it; "" of others.

    Those that have opacity, more than 8 bits or several pictures are not among them.
    """
    if data.startswith(b"\xff\xd8"):
        return JPEG
    if data.startswith(PNG_SIGNATURE) and data[24:25] != b"\x10" and data[25:26] in (b"\0", b"\2", b"\3"):
        head = data[: max(data.find(b"IDAT"), 0)]
        return "" if b"tRNS" in head or b"acTL" in head else "image/png"
    return "image/webp" if data[:4] == b"RIFF" and data[8:16] == b"WEBPVP8 " else ""


def shrink_picture(data: bytes, longest: int, quality: int) -> bytes:
    """A JPEG of a picture of 8 bit, no side of which is longer than `longest` pixels.

    Raises:
        DataError: it does not decode.
    """
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise DataError("expected a picture, found one that does not decode", "replace the file")
    scale = longest / max(pixels.shape[:2])
    if scale < 1:
        size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def write_png(path: Path, image: npt.NDArray[Any], level: int = 1) -> None:
    """Write an image (see `encode_png`) atomically.

    Raises:
        DataError: the array cannot be a PNG.
        DeviceError: the disk is full or not writable.
    """
    write_bytes_atomically(path, encode_png(image, level))


def decode_picture(path: Path) -> npt.NDArray[Any]:
    """The pixels of a file that holds one picture, in their own depth.

    Returns:
        RGB (H, W, 3) of any numeric type, EXIF orientation applied, opacity left away.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged, no picture, or holds several; the text is for people.
    """
    data = read_regular(path)
    # Asked first: decoders fill up a truncated JPEG with grey and stay silent.
    damage = find_damage(data) or find_pages(data)
    if damage:
        raise ValueError(damage)
    try:
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    except cv2.error:
        bgr = None
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB) if bgr is not None else _decode_unusual(data)


def page_to_rgb(page: npt.NDArray[Any], mode: str) -> npt.NDArray[Any]:
    """What imageio reads by Pillow, as RGB (H, W, 3) in its own depth.

    Args:
        page: (H, W) or (H, W, C).
        mode: of Pillow, without "CMYK", "YCbCr" and other colour spaces.
    """
    planes = page[..., None] if page.ndim == 2 else page
    if mode in _EXTRA:
        planes = planes[..., :-1]
    rgb = np.repeat(planes, 3, axis=2) if planes.shape[2] == 1 else planes[..., :3]
    return rgb * np.uint8(255) if rgb.dtype == np.bool_ else np.ascontiguousarray(rgb)


def read_rgb(path: Path, levels: Levels | None = None) -> ImageArray:
    """Read a picture as uint8 (H, W, 3) RGB; EXIF orientation is applied.

    Args:
        path: the picture.
        levels: what deep pixels are stretched by; None is the range of the picture itself.

    Raises:
        DataError: the file is missing, damaged or no picture.
    """
    try:
        pixels = decode_picture(path)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}", "check the path") from error
    except ValueError as error:
        raise DataError(f"{path}: expected a picture, found a damaged one: {error}", "replace it") from error
    return (levels or find_levels([pixels]) or Levels(0, 0)).stretch(pixels)


def read_grey(path: Path) -> npt.NDArray[np.uint8]:
    """Read a picture as uint8 (H, W); colours are turned grey, 16 bit are shortened to the upper eight.

    Raises:
        DataError: the file is missing or no picture.
    """
    # Not cv2.imread: it fails on some non-ASCII paths, and says nothing about a missing file.
    try:
        data = read_regular(path)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}", "check the path") from error
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None
    except cv2.error:
        image = None
    if image is None:
        raise DataError(
            f"{path}: expected a picture, found {len(data)} bytes that do not decode", "replace the file"
        )
    return image.astype(np.uint8, copy=False)


def read_image_size(path: Path) -> Size:
    """(H, W) of a picture as it is decoded, EXIF orientation applied; the pixels are not decoded.

    Raises:
        DataError: the file is missing, damaged, no picture, or holds several.
    """
    try:
        data = read_regular(path)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}", "check the path") from error
    damage = find_damage(data) or find_pages(data)
    if damage:
        raise DataError(f"{path}: expected a picture, found a file that is damaged: {damage}", "replace it")
    try:
        with Image.open(io.BytesIO(data)) as picture:
            width, height = picture.size
            if isinstance(picture, TiffImageFile):  # not every Pillow says here what is stored
                width, height = picture.tag_v2[_TIFF_WIDTH], picture.tag_v2[_TIFF_HEIGHT]
            turned = swaps_sides(picture.getexif().get(ORIENTATION, UPRIGHT))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        try:
            height, width = decode_picture(path).shape[:2]  # depths that Pillow does not know
        except (OSError, ValueError) as error:
            raise DataError(
                f"{path}: expected a picture, found {len(data)} bytes of something else", "replace it"
            ) from error
        turned = False
    return (width, height) if turned else (height, width)


def read_levels(path: Path) -> Levels | None:
    """The range of a picture that is deeper than 8 bit; None if it is not.

    Raises:
        DataError: the file is missing, damaged or no picture.
    """
    try:
        with open_regular(path) as file:
            head = file.read(32)
            if not has_deep_pixels(head if head.startswith(PNG_SIGNATURE) else head + file.read()):
                return None
        return find_levels([decode_picture(path)])
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}", "check the path") from error
    except ValueError as error:
        raise DataError(f"{path}: expected a picture, found a damaged one: {error}", "replace it") from error


def _decode_unusual(data: bytes) -> npt.NDArray[Any]:
    """What OpenCV does not decode in colour: float and 32-bit TIFF, rare compressions and colour spaces."""
    import imageio.v3 as iio  # which loads PyAV

    try:
        mode = str(iio.immeta(data, plugin="pillow", exclude_applied=False)["mode"])
        plain = mode in {"1", "L", "I", "F", "RGB", *_EXTRA} or mode.startswith("I;16")
        if not plain:
            page = iio.imread(data, plugin="pillow", index=0, rotate=True, mode="RGB")
        else:
            page = page_to_rgb(iio.imread(data, plugin="pillow", index=0, rotate=True), mode)
    except Exception as error:  # noqa: BLE001 - Pillow's plugins raise whatever they meet in damaged bytes
        return _decode_doubles(data, error)
    if page.dtype == np.uint8 and has_deep_pixels(data):  # Pillow leaves their lower byte away
        raise ValueError("16-bit colours in a form that OpenCV does not read")
    return page


def _decode_doubles(data: bytes, error: Exception) -> npt.NDArray[Any]:
    """TIFF of doubles, which Pillow does not know."""
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise ValueError("does not decode") from error
    planes = pixels if pixels.ndim == 3 else pixels[..., None]
    return np.repeat(planes, 3, axis=2) if planes.shape[2] < 3 else planes[..., 2::-1]
