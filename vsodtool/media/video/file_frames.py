"""Frames from a video file, decoded in order and never by seeking."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator
from contextlib import closing
from functools import cached_property

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from vsodtool.errors import DataError
from vsodtool.media.video.inputs import VideoInput
from vsodtool.media.video.loss import Loss
from vsodtool.media.video.orientation import Turn, read_turn
from vsodtool.media.video.probe import open_container, probe_video
from vsodtool.types import Frame, ImageArray, Size


class FileFrames:
    """A video file as a `FrameSource`.

    Frames are told apart by their presentation times, so a frame that does not decode leaves a gap instead of
    shifting the ones after it. Containers without times (some AVI files) are counted.

    Raises:
        DataError: the file cannot be opened, or holds no frames.
    """

    def __init__(self, video: VideoInput) -> None:
        self.video = video
        self._probe = probe_video(video.path)
        self.names: list[str] = [_name(index) for index in range(self._probe.count)]
        self.fps = self._probe.fps
        self.is_cut = bool(self._probe.missing)
        self.losses: list[Loss] = []

    @property
    def size(self) -> Size:
        """(H, W) of the first frame that decodes, rotation applied.

        Raises:
            DataError: no frame decodes.
        """
        return self._shape[0]

    @cached_property
    def _shape(self) -> tuple[Size, Turn]:
        with open_container(self.video.path) as (container, stream):
            reformatter = VideoReformatter()
            for decoded in _decode(container, stream):
                if not decoded.is_corrupt:
                    turn = read_turn(decoded)
                    rgb = _to_rgb(decoded, reformatter, turn)
                    return (rgb.shape[0], rgb.shape[1]), turn
        raise DataError(
            f"{self.video.path}: none of its {len(self.names)} frames decodes",
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
        with open_container(self.video.path) as (container, stream):
            reformatter = VideoReformatter()
            for decoded in _decode(container, stream):
                index = self._index_of(decoded, following)
                if index >= len(self.names):
                    self._lose(index, "the container does not announce this frame; the video ends before it")
                    return
                for gap in range(following, index):
                    self._lose(gap, "does not decode")
                following = index + 1
                rgb = None if decoded.is_corrupt else _to_rgb(decoded, reformatter, turn)
                if rgb is None:
                    self._lose(index, "decodes with damage")
                elif rgb.shape[:2] != size:
                    self._lose(
                        index, f"changes size from {size[1]}x{size[0]} to {rgb.shape[1]}x{rgb.shape[0]}"
                    )
                else:
                    yield Frame(index, self.names[index], rgb)
        if following < len(self.names):
            missing = f" ({self._probe.missing})" if self._probe.missing else ""
            self._lose(
                following, f"the video ends here, {following} of {len(self.names)} frames decoded{missing}"
            )
        elif self._probe.missing:
            # The container does not say how many frames there were, so the lost ones are not among the names.
            self._lose(following, f"the video ends here: {self._probe.missing}")

    def _index_of(self, decoded: VideoFrame, following: int) -> int:
        index = self._probe.index_of_pts.get(decoded.pts, -1) if decoded.pts is not None else -1
        return index if index >= following else following

    def _lose(self, index: int, reason: str) -> None:
        self.losses.append(Loss(_name(index), reason))


def _name(index: int) -> str:
    return f"{index:05d}"


def _decode(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """All frames that decode; a packet that does not is passed over, an unreadable rest ends it."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:  # the caller sees the frames that are missing at the end
            return
        if packet is None:
            return
        try:
            frames = packet.decode()
        except av.FFmpegError:  # the caller sees the gap in the presentation times
            continue
        for frame in frames:
            if isinstance(frame, VideoFrame):
                yield frame


def _to_rgb(decoded: VideoFrame, reformatter: VideoReformatter, turn: Turn) -> ImageArray:
    rgb = reformatter.reformat(decoded, format="rgb24").to_ndarray().astype(np.uint8, copy=False)
    return turn.apply(rgb)
