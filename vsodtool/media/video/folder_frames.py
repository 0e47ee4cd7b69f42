"""Frames from a folder of pictures."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from vsodtool.errors import DataError
from vsodtool.media.image_integrity import find_damage
from vsodtool.media.video.inputs import VideoInput
from vsodtool.media.video.loss import Loss
from vsodtool.types import Frame, ImageArray, Size

FOLDER_FPS = 24.0


class FolderFrames:
    """The pictures of a folder as a `FrameSource`; frames may also be read one by one, from any thread."""

    def __init__(self, video: VideoInput) -> None:
        self.video = video
        self.names: list[str] = [path.stem for path in video.files]
        self.losses: list[Loss] = []
        self.fps = FOLDER_FPS
        self.is_cut = False

    @cached_property
    def size(self) -> Size:
        """(H, W) of the first frame that decodes; the others must agree.

        Raises:
            DataError: no frame decodes.
        """
        for path in self.video.files:
            rgb, _ = _decode(path)
            if rgb is not None:
                return rgb.shape[0], rgb.shape[1]
        raise DataError(
            f"{self.video.path}: none of its {len(self.names)} frames decodes",
            "check the files; replace them",
        )

    def __iter__(self) -> Iterator[Frame]:
        """Decode in natural order; what does not decode is left out and listed in `losses`.

        Raises:
            DataError: no frame decodes, or a frame has another size than the first.
        """
        return self.select(range(len(self.video.files)))

    def select(self, indices: Collection[int]) -> Iterator[Frame]:
        """As iterating, but only these frames; the files of the others are not opened."""
        self.losses = []
        height, width = self.size
        for index, path in enumerate(self.video.files):
            if index not in indices:
                continue
            rgb, damage = _decode(path)
            if rgb is None:
                self.losses.append(Loss(path.stem, f"{damage} ({path})"))
                continue
            self._check_size(path, rgb, (height, width))
            yield Frame(index, path.stem, rgb)

    def read(self, index: int) -> Frame:
        """Decode one frame.

        Raises:
            DataError: it does not decode, or has another size than the first frame that does.
        """
        path = self.video.files[index]
        rgb, damage = _decode(path)
        if rgb is None:
            raise DataError(
                f"{path}: expected a picture, found one that does not decode: {damage}", "replace it"
            )
        self._check_size(path, rgb, self.size)
        return Frame(index, path.stem, rgb)

    def _check_size(self, path: Path, rgb: ImageArray, expected: Size) -> None:
        found = rgb.shape[:2]
        if found != expected:
            raise DataError(
                f"{path}: expected {expected[1]}x{expected[0]} like the first frame, "
                f"found {found[1]}x{found[0]}",
                "a folder must hold the frames of one video, all of one size",
            )


def _decode(path: Path) -> tuple[ImageArray | None, str]:
    """RGB and "", or None and what is wrong with the file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        return None, f"cannot be read ({error.strerror or error})"
    # Asked first: decoders fill up a truncated JPEG with grey and stay silent.
    damage = find_damage(data)
    if damage:
        return None, damage
    try:
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        return None, f"does not decode ({error.err})"
    if bgr is None:
        return None, "does not decode"
    rgb: ImageArray = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
    return rgb, ""
