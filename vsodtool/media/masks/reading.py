"""One mask file -> its pixels as stored, before anybody decides what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, cast

import cv2
import numpy as np
import numpy.typing as npt

from vsodtool.errors import DataError
from vsodtool.media.image_integrity import find_damage
from vsodtool.media.masks.plane_png import Palette, decode_palette_png, is_palette_png
from vsodtool.types import Size

Plane: TypeAlias = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
Container: TypeAlias = Literal["grey8", "grey16", "palette", "colour"]


@dataclass(frozen=True)
class RawMask:
    """The pixels of a mask file.

    Attributes:
        container: what the file stores; RGB(A) counts as "grey8" or "grey16" where its channels agree.
        values: (H, W): grey values, palette indices, or for colour the strongest of R, G and B.
        alpha: (H, W) opacity in the same depth, None if the file stores none.
        palette: colours of a palette file.
        lossy: whether the format (JPEG) changes values, so that they cannot be ids.
    """

    container: Container
    values: Plane
    alpha: Plane | None = None
    palette: Palette | None = None
    lossy: bool = False

    @property
    def size(self) -> Size:
        """(H, W)."""
        return self.values.shape[0], self.values.shape[1]


def read_raw_mask(path: Path) -> RawMask:
    """Read a mask file.

    Raises:
        DataError: it is missing, damaged, or of a depth other than 1 to 16 bit.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    damage = find_damage(data)
    if damage:
        raise _unreadable(path, damage)
    if is_palette_png(data):
        try:
            indices, palette = decode_palette_png(data)
        except ValueError as error:
            raise _unreadable(path, str(error)) from error
        return RawMask("palette", indices, palette=palette)
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
    planes: list[Plane] = [cast(Plane, plane) for plane in cv2.split(pixels)]
    return _raw_from_planes(planes, lossy=data.startswith(b"\xff\xd8"))


def _raw_from_planes(planes: list[Plane], *, lossy: bool) -> RawMask:
    grey: Container = "grey8" if planes[0].dtype == np.uint8 else "grey16"
    alpha = planes[-1] if len(planes) in (2, 4) else None
    if len(planes) <= 2:
        return RawMask(grey, planes[0], alpha, lossy=lossy)
    blue, green, red = planes[:3]
    agree = np.array_equal(blue, green) and np.array_equal(green, red)
    strongest = red if agree else cast(Plane, cv2.max(cv2.max(blue, green), red))
    return RawMask(grey if agree else "colour", strongest, alpha, lossy=lossy)


def _unreadable(path: Path, reason: str) -> DataError:
    return DataError(
        f"{path}: expected a mask, found a file that cannot be read: {reason}", "replace the file"
    )
