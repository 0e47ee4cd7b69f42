"""Frames from a folder of pictures."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy.typing as npt

from vsodtool.errors import DataError
from vsodtool.media.bit_depth import Levels, find_levels, is_deep
from vsodtool.media.folders import frame_name
from vsodtool.media.images import decode_picture
from vsodtool.media.video.inputs import Loss, VideoInput
from vsodtool.types import Frame, ImageArray, Size

FOLDER_FPS = 24.0


class FolderFrames:
    """The pictures of a folder as a `FrameSource`; frames may also be read one by one, from any thread."""

    def __init__(self, video: VideoInput) -> None:
        self.video = video
        self.names: list[str] = [frame_name(path) for path in video.files]
        self.losses: list[Loss] = []
        self.fps = FOLDER_FPS
        self.times: list[Fraction] = []
        self.pixel_aspect = Fraction(1)
        self.is_cut = False
        self._levels_lock = threading.Lock()
        self._levels: Levels | None = None

    @property
    def size(self) -> Size:
        """(H, W) of the first frame that decodes; the others must agree.

        Raises:
            DataError: no frame decodes.
        """
        return self._first[0]

    @property
    def notes(self) -> list[str]:
        """That the frames are deeper than 8 bit, and what becomes of them.

        Raises:
            DataError: no frame decodes.
        """
        return [f"frames deeper than 8 bit: {self.levels} becomes 0 to 255"] if self._first[1] else []

    @property
    def levels(self) -> Levels:
        """The range of all frames that are deeper than 8 bit, found by reading them once."""
        with self._levels_lock:
            if self._levels is None:
                decoded = (_try_decode(path) for path in self.video.files)
                self._levels = find_levels(each for each in decoded if not isinstance(each, str)) or Levels(
                    0, 0
                )
            return self._levels

    def __iter__(self) -> Iterator[Frame]:
        """Decode in natural order; what does not decode is left out and listed in `losses`.

        Raises:
            DataError: no frame decodes, or a frame has another size than the first.
        """
        return self.select(range(len(self.video.files)))

    def select(self, indices: Collection[int]) -> Iterator[Frame]:
        """As iterating, but only these frames; the files of the others are not opened."""
        self.losses = []
        expected = self.size
        for index, path in enumerate(self.video.files):
            if index not in indices:
                continue
            pixels = _try_decode(path)
            if isinstance(pixels, str):
                self.losses.append(Loss(self.names[index], f"{pixels} ({path})"))
                continue
            yield Frame(index, self.names[index], self._to_rgb(path, pixels, expected))

    def read(self, index: int) -> Frame:
        """Decode one frame.

        Raises:
            DataError: it does not decode, or has another size than the first frame that does.
        """
        path = self.video.files[index]
        pixels = _try_decode(path)
        if isinstance(pixels, str):
            raise DataError(
                f"{path}: expected a picture, found one that does not decode: {pixels}", "replace it"
            )
        return Frame(index, self.names[index], self._to_rgb(path, pixels, self.size))

    @cached_property
    def _first(self) -> tuple[Size, bool]:
        """(H, W) of the first frame that decodes, and whether it is deeper than 8 bit."""
        reason = ""
        for path in self.video.files:
            pixels = _try_decode(path)
            if not isinstance(pixels, str):
                return (pixels.shape[0], pixels.shape[1]), is_deep(pixels)
            reason = reason or f"{path.name} {pixels}"
        raise DataError(
            f"{self.video.path}: none of its {len(self.names)} frames decodes: {reason}",
            "check the files; replace them",
        )

    def _to_rgb(self, path: Path, pixels: npt.NDArray[Any], expected: Size) -> ImageArray:
        found = pixels.shape[:2]
        if found != expected:
            raise DataError(
                f"{path}: expected {expected[1]}x{expected[0]} like the first frame, "
                f"found {found[1]}x{found[0]}",
                "a folder must hold the frames of one video, all of one size",
            )
        return self.levels.stretch(pixels) if is_deep(pixels) else pixels


def _try_decode(path: Path) -> npt.NDArray[Any] | str:
    """The pixels, or what is wrong with the file."""
    try:
        return decode_picture(path)
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    except ValueError as error:
        return str(error)
