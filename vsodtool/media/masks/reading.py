"""One mask file -> its pixels as stored, before anybody decides what they mean."""

from __future__ import annotations

import io
import struct
import threading
import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from vsodtool.errors import DataError
from vsodtool.media.image_integrity import find_damage
from vsodtool.media.masks.plane_png import Palette, decode_palette_png, is_palette_png
from vsodtool.media.masks.soft_palettes import shades_of_one
from vsodtool.media.orientation import UPRIGHT, stated_orientation, turn_upright
from vsodtool.media.regular_file import read_regular
from vsodtool.types import Size

Plane: TypeAlias = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
Container: TypeAlias = Literal["grey8", "grey16", "palette", "colour"]
Colours: TypeAlias = npt.NDArray[np.int64]

OPAQUE = 1 << 48
_MANY_GREYS = 32  # more greys in one palette are no objects
_WARNINGS = threading.Lock()  # filters of warnings belong to the whole process
_BROKEN = (
    OSError,
    SyntaxError,  # what Pillow makes of some damaged headers
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    MemoryError,
    struct.error,
    Image.DecompressionBombError,
)


@dataclass(frozen=True)
class RawMask:
    """The pixels of a mask file.

    Attributes:
        container: what the file stores; RGB(A) counts as "grey8" or "grey16" where its channels agree.
        values: (H, W): grey values, palette indices, or for colour the strongest of R, G and B.
        alpha: (H, W) opacity in the same depth, None if the file stores none.
        palette: colours of a palette file.
        lossy: whether the format (JPEG, most WebP) changes values, so that they cannot be ids.
        rgb: (H, W, 3) of a file in colour, None of others.
    """

    container: Container
    values: Plane
    alpha: Plane | None = None
    palette: Palette | None = None
    lossy: bool = False
    rgb: Plane | None = None

    @property
    def size(self) -> Size:
        """(H, W)."""
        return self.values.shape[0], self.values.shape[1]

    @property
    def full(self) -> int:
        """The largest value that the depth allows."""
        return 255 if self.values.dtype == np.uint8 else 65535

    @cached_property
    def transparent(self) -> bool:
        """Whether the opacity says what is drawn: it varies and is below half somewhere, or is all 0."""
        if self.alpha is None:
            return False
        least, most = int(self.alpha.min()), int(self.alpha.max())
        return most == 0 or (least < most and least <= self.full // 2)

    @cached_property
    def cut_out(self) -> bool:
        """Whether it goes by its opacity among masks of which some are transparent.

        One that is opaque all over is then all object, unless it has a background of its own: black.
        """
        return self.alpha is not None and (self.transparent or bool(self.values.all()))

    def colours(self, *, by_alpha: bool) -> Colours:
        """What is drawn, as one number a pixel, (H, W): 0 = nothing, else R, G and B in 16 bits each.

        Args:
            by_alpha: nothing is what is less than half opaque, and all else has `OPAQUE` added; otherwise it
                is what is black.
        """
        if self.rgb is None:
            packed = self.values.astype(np.int64) * (1 << 32 | 1 << 16 | 1)
        else:
            red, green, blue = (self.rgb[..., place].astype(np.int64) for place in range(3))
            packed = red << 32 | green << 16 | blue
        if not by_alpha:
            return packed
        if self.alpha is None:
            return packed + OPAQUE
        return np.where(self.alpha > self.full // 2, packed + OPAQUE, 0)


def read_raw_mask(path: Path) -> RawMask:
    """Read a mask file; EXIF orientation is applied, as it is to frames.

    Raises:
        DataError: it is missing, damaged, of a depth other than 1 to 16 bit, or holds several pictures.
    """
    try:
        data = read_regular(path)
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    damage = find_damage(data)
    if damage:
        raise _unreadable(path, damage)
    raw, orientation = _as_stored(path, data), stated_orientation(data)
    return raw if orientation == UPRIGHT else _turned(raw, orientation)


def _as_stored(path: Path, data: bytes) -> RawMask:
    try:
        opened = _opened_by_pillow(data)
    except _BROKEN as error:
        raise _unreadable(path, f"does not decode: {error}") from error
    if opened.pages > 1:
        raise DataError(
            f"{path}: expected one mask, found {opened.pages} pictures in one file", "save each as a file"
        )
    if opened.raw is not None:
        return opened.raw
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise _unreadable(path, error.err) from error
    if pixels is None:
        raise _unreadable(path, "does not decode")
    if pixels.dtype not in (np.uint8, np.uint16):
        raise DataError(
            f"{path}: expected a mask of 1 to 16 bit, found {pixels.dtype} pixels", "save it as an 8-bit PNG"
        )
    return _raw_from_pixels(cast(Plane, pixels), lossy=opened.lossy or _is_lossy(data))


def _turned(raw: RawMask, orientation: int) -> RawMask:
    def turned(plane: Plane) -> Plane:
        return turn_upright(plane, orientation)

    return replace(
        raw,
        values=turned(raw.values),
        alpha=None if raw.alpha is None else turned(raw.alpha),
        rgb=None if raw.rgb is None else turned(raw.rgb),
    )


@dataclass(frozen=True)
class _Opened:
    """What Pillow says of a file: its pixels where OpenCV would hand out the wrong ones."""

    raw: RawMask | None = None
    pages: int = 1
    lossy: bool = False


def _opened_by_pillow(data: bytes) -> _Opened:
    if data.startswith(b"\x89PNG"):
        raw = None
        if is_palette_png(data):
            raw = _raw_from_indices(*decode_palette_png(data))
        return _Opened(raw, _png_pages(data))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _Opened(pages=data.count(b"ANMF") if data[12:16] == b"VP8X" and data[20] & 2 else 1)
    if not data.startswith((b"BM", b"GIF8", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return _Opened()
    with _WARNINGS, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tags that nobody here asks for
        with Image.open(io.BytesIO(data)) as image:
            pages = getattr(image, "n_frames", 1)
            image.seek(0)
            raw = None
            if image.mode == "P":
                palette = Palette(bytes(image.getpalette("RGB") or ()))
                raw = _raw_from_indices(np.array(image, np.uint8), palette)
            elif image.format == "GIF":  # not every OpenCV reads it
                raw = RawMask("grey8", np.array(image.convert("L"), np.uint8))
            lossy = "jpeg" in str(image.info.get("compression", "")).lower()
            return _Opened(raw, pages, lossy)


def _raw_from_indices(indices: npt.NDArray[np.uint8], palette: Palette) -> RawMask:
    used = np.flatnonzero(np.bincount(indices.reshape(-1), minlength=256))
    colours = np.frombuffer(b"".join(map(palette.colour, range(256))), np.uint8).reshape(256, 3)
    opacity = np.frombuffer(palette.alphas.ljust(256, b"\xff"), np.uint8)
    # Of a soft cut-out an optimiser makes a colour for each opacity.
    if palette.alphas and shades_of_one(indices, np.repeat(opacity[:, None], 3, axis=1), used) is not None:
        pixels = np.column_stack([colours[:, ::-1], opacity])
        return _raw_from_pixels(cast(Plane, pixels[indices]), lossy=False)
    grey = colours[:, 0]
    # Optimisers number the greys of a soft mask as they like.
    if used.size > _MANY_GREYS and (colours[used] == grey[used, None]).all() and (grey[used] != used).any():
        return RawMask("grey8", grey[indices])
    # Where each index is the grey that it stands for, the values say what they are.
    shades = None if (colours[used] == used[:, None]).all() else shades_of_one(indices, colours, used)
    if shades is not None:
        return _raw_from_pixels(cast(Plane, shades[..., ::-1]), lossy=False)
    return RawMask("palette", indices, palette=palette)


def _png_pages(data: bytes) -> int:
    """Pictures of an animated PNG, 1 of any other."""
    place = data.find(b"acTL", 0, max(data.find(b"IDAT"), 0))
    return int.from_bytes(data[place + 4 : place + 8], "big") if place != -1 else 1


def _is_lossy(data: bytes) -> bool:
    """JPEG, or a WebP that is not of the lossless kind."""
    if data.startswith(b"\xff\xd8"):
        return True
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP" and b"VP8L" not in data


def _raw_from_pixels(pixels: Plane, *, lossy: bool) -> RawMask:
    planes: list[Plane] = [cast(Plane, plane) for plane in cv2.split(pixels)]
    grey: Container = "grey8" if planes[0].dtype == np.uint8 else "grey16"
    alpha = planes[-1] if len(planes) in (2, 4) else None
    if len(planes) <= 2:
        return RawMask(grey, planes[0], alpha, lossy=lossy)
    blue, green, red = planes[:3]
    if np.array_equal(blue, green) and np.array_equal(green, red):
        return RawMask(grey, red, alpha, lossy=lossy)
    strongest = cast(Plane, cv2.max(cv2.max(blue, green), red))
    rgb = cast(Plane, cv2.merge([red, green, blue]))
    return RawMask("colour", strongest, alpha, lossy=lossy, rgb=rgb)


def _unreadable(path: Path, reason: str) -> DataError:
    return DataError(
        f"{path}: expected a mask, found a file that cannot be read: {reason}", "replace the file"
    )
