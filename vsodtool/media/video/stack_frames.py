"""Frames from one file of several pictures: pages of a TIFF, frames of an animated PNG or WebP."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fractions import Fraction
from functools import cached_property
from typing import Any

import cv2
import imageio.v3 as iio
import numpy as np
import numpy.typing as npt

from vsodtool.errors import DataError
from vsodtool.media.bit_depth import Levels, find_levels, is_deep
from vsodtool.media.image_integrity import (
    LARGEST_PIXELS,
    count_pages,
    has_deep_pixels,
    has_picture_apart,
)
from vsodtool.media.images import page_to_rgb
from vsodtool.media.regular_file import read_regular
from vsodtool.media.video.folder_frames import FOLDER_FPS
from vsodtool.media.video.inputs import Loss, VideoInput
from vsodtool.types import Frame, ImageArray, Size

_PLAIN = {
    "1",
    "L",
    "I",
    "F",
    "RGB",
    "LA",
    "PA",
    "RGBA",
    "RGBX",
}  # what is read as it is; else turned into RGB


class StackFrames:
    """The pages of an image file as a `FrameSource`, numbered from 0 like the frames of a video file.

    Raises:
        DataError: the file cannot be read.
    """

    def __init__(self, video: VideoInput) -> None:
        self.video = video
        self.names = [f"{index:05d}" for index in range(_count(video))]
        self.losses: list[Loss] = []
        self.fps = FOLDER_FPS
        self.times: list[Fraction] = []
        self.pixel_aspect = Fraction(1)
        self.is_cut = False

    @property
    def size(self) -> Size:
        """(H, W) of the first page that decodes.

        Raises:
            DataError: none decodes.
        """
        return self._first[0]

    @property
    def notes(self) -> list[str]:
        """That the pages are deeper than 8 bit, and what becomes of them.

        Raises:
            DataError: none decodes.
        """
        return [f"frames deeper than 8 bit: {self.levels} becomes 0 to 255"] if self._first[1] else []

    @cached_property
    def levels(self) -> Levels:
        """The range of all pages that are deeper than 8 bit, found by reading them once."""
        return find_levels(page for _, page in self._pages() if not isinstance(page, str)) or Levels(0, 0)

    def __iter__(self) -> Iterator[Frame]:
        """Decode in order; what does not decode or has another size is left out and listed in `losses`.

        Raises:
            DataError: no page decodes.
        """
        return self.select(range(len(self.names)))

    def select(self, indices: Collection[int]) -> Iterator[Frame]:
        """As iterating, but only these frames."""
        self.losses = []
        expected = self.size
        for index, page in self._pages(indices):
            if isinstance(page, str):
                self.losses.append(Loss(self.names[index], page))
            elif page.shape[:2] != expected:
                found = f"{page.shape[1]}x{page.shape[0]}"
                self.losses.append(
                    Loss(self.names[index], f"changes size from {expected[1]}x{expected[0]} to {found}")
                )
            else:
                rgb: ImageArray = self.levels.stretch(page) if is_deep(page) else page
                yield Frame(index, self.names[index], rgb)

    @cached_property
    def _first(self) -> tuple[Size, bool]:
        reason = ""
        for _, page in self._pages():
            if not isinstance(page, str):
                return (page.shape[0], page.shape[1]), is_deep(page)
            reason = reason or page
        raise DataError(
            f"{self.video.path}: none of its {len(self.names)} pages decodes: {reason}",
            "convert the file, or save its pages as single pictures",
        )

    def _pages(self, indices: Collection[int] | None = None) -> Iterator[tuple[int, npt.NDArray[Any] | str]]:
        """(index, pixels in RGB, or what is wrong with the page)."""
        try:
            data = read_regular(self.video.path)
            first = int(has_picture_apart(data))
            file = iio.imopen(data, "r", plugin="pillow")
        except Exception as error:  # noqa: BLE001 - Pillow raises whatever it meets in damaged bytes
            yield 0, f"cannot be opened ({error})"
            return
        with file:
            for index in range(len(self.names)):
                if indices is not None and index not in indices:
                    continue
                try:
                    page_index = first + index
                    about = file.metadata(index=page_index, exclude_applied=False)
                    width, height = about.get("shape", (0, 0))
                    if width * height > LARGEST_PIXELS:
                        yield index, f"damaged or too large: it announces {width}x{height} pixels"
                        continue
                    mode = str(about["mode"])
                    plain = mode in _PLAIN or mode.startswith("I;16")
                    if plain:
                        page = page_to_rgb(file.read(index=page_index, rotate=True), mode)
                    else:
                        page = file.read(index=page_index, rotate=True, mode="RGB")
                    # Pillow leaves the lower byte of 16-bit colours away.
                    lowered = page.dtype == np.uint8 and has_deep_pixels(data, index)
                    yield index, _decode_deep_page(data, index) if lowered else page
                except Exception as error:  # noqa: BLE001 - as above
                    yield index, f"does not decode ({error})"


def _decode_deep_page(data: bytes, index: int) -> npt.NDArray[Any]:
    """A page of a TIFF in 16-bit colours, RGB (H, W, 3).

    Raises:
        ValueError: it does not decode.
    """
    encoded = np.frombuffer(data, np.uint8)
    wanted = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
    decodes, found = cv2.imdecodemulti(encoded, wanted, range=(index, index + 1))
    if not decodes or found[0].dtype == np.uint8:
        raise ValueError("16-bit colours in a form that OpenCV does not read")
    return cv2.cvtColor(found[0], cv2.COLOR_BGR2RGB)


def _count(video: VideoInput) -> int:
    try:
        return count_pages(read_regular(video.path))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{video.path}: expected a file of several pictures, found one that cannot be read: {error}",
            "check the file",
        ) from error
