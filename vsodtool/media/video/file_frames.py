"""Frames from a video file, decoded in order and never by seeking."""

from __future__ import annotations

import struct
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.sidedata.sidedata import SideData
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from vsodtool.errors import DataError
from vsodtool.media.bit_depth import Levels, find_levels, is_deep
from vsodtool.media.video.damage import Decoded, Fault, decode_judged
from vsodtool.media.video.inputs import Loss, VideoInput
from vsodtool.media.video.probe import probe_video
from vsodtool.media.video.streams import open_stream
from vsodtool.types import Frame, ImageArray, Size

_FAULTS: dict[Fault, str] = {
    "lost": "does not decode",
    "damaged": "decodes with damage",
    "refers": "built on a frame that is damaged or missing",
}


class FileFrames:
    """A video file as a `FrameSource`.

    Frames are told apart by their presentation times, so a frame that does not decode leaves a gap instead of
    shifting the ones after it. Where the container stores no usable times (some AVI files) they are counted.

    Raises:
        DataError: the file cannot be opened, or holds no frames.
    """

    def __init__(self, video: VideoInput) -> None:
        self.video = video
        self._probe = probe_video(video.path)
        self.names: list[str] = numbered(self._probe.count)
        self.fps = self._probe.fps
        self.times: Sequence[Fraction] = self._probe.times
        self.is_cut = bool(self._probe.missing)
        self.losses: list[Loss] = []

    @property
    def size(self) -> Size:
        """(H, W) of the first frame that decodes, rotation applied.

        Raises:
            DataError: no frame decodes.
        """
        return self._shape[0]

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a pixel as shown by its height, rotation applied; 1 for square ones.

        Raises:
            DataError: no frame decodes.
        """
        stored = self._probe.pixel_aspect
        return 1 / stored if self._shape[1].transpose else stored

    @property
    def notes(self) -> list[str]:
        """Streams passed over, pictures that are never shown, a depth above 8 bit and what becomes of it."""
        deep = self._probe.bits > 8
        told = [f"frames of {self._probe.bits} bit: {self.levels} becomes 0 to 255"] if deep else []
        return [*self._probe.notes, *told]

    @cached_property
    def levels(self) -> Levels:
        """The range of all frames that are deeper than 8 bit, found by decoding the video once.

        Grey: stored values; colour: values of R, G and B in 16 bit.
        """
        with open_stream(self.video.path, self._probe.stream) as (container, stream):
            reformatter = VideoReformatter()
            judged = self._decode(container, stream)
            pixels = (_to_pixels(each.frame, reformatter) for each in judged if each.frame and not each.fault)
            return find_levels(pixels) or Levels(0, 0)

    @cached_property
    def _shape(self) -> tuple[Size, Turn]:
        damaged = ""
        with open_stream(self.video.path, self._probe.stream) as (container, stream):
            for judged in self._decode(container, stream):
                decoded = judged.frame
                damaged = damaged if decoded is None else " without damage"
                if decoded is not None and not judged.fault:
                    turn = read_turn(decoded)
                    height, width = decoded.height, decoded.width
                    return ((width, height) if turn.transpose else (height, width)), turn
        raise DataError(
            f"{self.video.path}: none of its {len(self.names)} frames decodes{damaged}",
            "check the file with ffprobe, or get another copy of it",
        )

    def select(self, indices: Collection[int]) -> Iterator[Frame]:
        """As iterating, but only these frames; what comes after the last of them is not decoded."""
        last = max(indices, default=-1)
        with closing(iter(self)) as frames:
            for frame in frames:
                if frame.index in indices:
                    yield frame
                if frame.index >= last:
                    return

    def __iter__(self) -> Generator[Frame, None, None]:
        """Decode in order; gaps and an early end are listed in `losses`.

        Raises:
            DataError: no frame decodes.
        """
        self.losses = []
        size, turn = self._shape
        following = 0
        with open_stream(self.video.path, self._probe.stream) as (container, stream):
            reformatter = VideoReformatter()
            for judged in self._decode(container, stream):
                decoded = judged.frame
                index = self._index_of(decoded, following)
                if index is None:
                    continue
                if index >= len(self.names):
                    self._lose(index, "the container does not announce this frame; the video ends before it")
                    return
                for gap in range(following, index):
                    self._lose(gap, _FAULTS["lost"])
                following = index + 1
                if decoded is None or judged.fault:
                    self._lose(index, _FAULTS[judged.fault])
                    continue
                rgb = self._to_rgb(decoded, reformatter, turn)
                del judged, decoded  # let go before the caller works
                if rgb.shape[:2] != size:
                    self._lose(
                        index, f"changes size from {size[1]}x{size[0]} to {rgb.shape[1]}x{rgb.shape[0]}"
                    )
                else:
                    yield Frame(index, self.names[index], rgb)
        if following < len(self.names):
            missing = f" ({self._probe.missing})" if self._probe.missing else ""
            self._lose(
                following,
                f"the video ends here, {following} of {len(self.names)} frames decoded{missing}",
                ends=True,
            )
        elif self._probe.missing:
            # The container does not say how many frames there were, so the lost ones are not among the names.
            self._lose(following, f"the video ends here: {self._probe.missing}", ends=True)

    def _decode(self, container: InputContainer, stream: VideoStream) -> Iterator[Decoded]:
        return decode_judged(container, stream, self._probe.index_of_pts)

    def _index_of(self, decoded: VideoFrame | None, following: int) -> int | None:
        """The place of a frame; None for a packet that does not decode, where times will show the gap."""
        if decoded is None:
            return None if self._probe.index_of_pts or not following else following
        index = self._probe.index_of_pts.get(decoded.pts, -1) if decoded.pts is not None else -1
        return index if index >= following else following

    def _to_rgb(self, decoded: VideoFrame, reformatter: VideoReformatter, turn: Turn) -> ImageArray:
        pixels = _to_pixels(decoded, reformatter)
        return turn.apply(self.levels.stretch(pixels) if is_deep(pixels) else pixels)

    def _lose(self, index: int, reason: str, *, ends: bool = False) -> None:
        self.losses.append(Loss(_name(index), reason, ends))


@dataclass(frozen=True)
class Turn:
    """What to do to a stored frame to turn it upright, in this order.

    Attributes:
        transpose: exchange rows and columns.
        mirror: reverse left and right.
        flip: reverse up and down.
    """

    transpose: bool = False
    mirror: bool = False
    flip: bool = False

    def apply(self, rgb: ImageArray) -> ImageArray:
        """The frame upright: the same array where there is nothing to do, else a contiguous copy."""
        turned = rgb.transpose(1, 0, 2) if self.transpose else rgb
        if self.mirror:
            turned = turned[:, ::-1]
        if self.flip:
            turned = turned[::-1]
        return np.ascontiguousarray(turned)


def read_turn(decoded: VideoFrame) -> Turn:
    """The display matrix of a frame, which cameras write instead of turning the pixels.

    Quarter turns and mirrorings; other angles are taken to the nearest. To be asked of one frame per video:
    PyAV ties a frame whose side data were looked at into a reference cycle, which keeps its pixels in memory
    until the garbage collector comes by.
    """
    matrix = decoded.side_data.get("DISPLAYMATRIX")
    if not isinstance(matrix, SideData):
        return Turn()
    # Nine integers, row vectors: stored (x, y) is shown at (a x + c y, b x + d y), y downwards.
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(matrix)[:36])
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Turn(transpose=False, mirror=a < 0, flip=d < 0)
    return Turn(transpose=True, mirror=c < 0, flip=b < 0)


_NUMBERED: list[str] = []


def numbered(count: int) -> list[str]:
    """Names of so many frames of a file; of all files they are the same objects, as there are millions."""
    while len(_NUMBERED) < count:
        _NUMBERED.append(_name(len(_NUMBERED)))
    return _NUMBERED[:count]


def _name(index: int) -> str:
    return f"{index:05d}"


@cache
def _format_in_rgb(stored: str) -> str:
    """What a pixel format is turned into: 8 bit stays 8 bit, deeper ones are not shortened."""
    found = VideoFormat(stored)
    if max((component.bits for component in found.components), default=8) <= 8:
        return "rgb24"
    return "rgb48le" if found.is_rgb or len(found.components) > 2 else "gray16le"


def _to_pixels(decoded: VideoFrame, reformatter: VideoReformatter) -> npt.NDArray[Any]:
    """RGB (H, W, 3), uint8, or uint16 where the video is deeper."""
    pixels = reformatter.reformat(decoded, format=_format_in_rgb(decoded.format.name)).to_ndarray()
    return np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels
