"""A video file whose frames are kept once decoded: nothing seeks, so going back means from the start."""

from __future__ import annotations

import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from vsodtool.errors import DeviceError
from vsodtool.media.spill import FrameSpill
from vsodtool.media.video.frames import FrameSource
from vsodtool.media.video.inputs import Loss, VideoInput
from vsodtool.types import Frame, ImageArray, Size

MOST_BYTES = 8 * 2**30  # 7,000 frames of 854x480
SHARE = 0.25  # of the free disk, at most


class KeptFrames:
    """A `FrameSource` that puts what it decodes aside on disk, and decodes again only what is not there.

    When there is no room for more, the frames that were not asked for longest make room. Close it when done.
    """

    def __init__(self, source: FrameSource, folder: Path | None = None, most: int | None = None) -> None:
        """Nothing is decoded yet.

        Args:
            source: the video.
            folder: where frames are put aside; the system's folder for temporary files if None.
            most: bytes to keep; what the disk allows if None.
        """
        self._source, self._folder = source, folder or Path(tempfile.gettempdir())
        self._most = most
        self._spill: FrameSpill | None = None
        self._kept: OrderedDict[int, int] = OrderedDict()  # index -> bytes, the latest asked for last
        self._bytes = 0
        self._lost: set[int] = set()
        self._passed = -1
        self._known_losses: list[Loss] = []  # of the longest pass
        self.losses: list[Loss] = []

    @property
    def video(self) -> VideoInput:
        """The video this reads."""
        return self._source.video

    @property
    def names(self) -> list[str]:
        """Names of all frames in order."""
        return self._source.names

    @property
    def size(self) -> Size:
        """(H, W) of every frame."""
        return self._source.size

    @property
    def fps(self) -> float:
        """Frames per second."""
        return self._source.fps

    @property
    def times(self) -> Sequence[Fraction]:
        """Seconds since the first frame."""
        return self._source.times

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a pixel by its height."""
        return self._source.pixel_aspect

    @property
    def notes(self) -> Sequence[str]:
        """Lines for people."""
        return self._source.notes

    @property
    def is_cut(self) -> bool:
        """Whether the end of the file is known to be missing."""
        return self._source.is_cut

    def __iter__(self) -> Iterator[Frame]:
        """All frames in order."""
        return self.select(range(len(self.names)))

    def select(self, indices: Collection[int]) -> Iterator[Frame]:
        """The frames of these indices in order: from the disk if all are there, else decoded."""
        wanted = frozenset(indices)
        if not wanted:
            return
        last = max(wanted)
        if all(index in self._kept or index in self._lost for index in wanted):
            before = frozenset(self.names[: last + 1])
            whole = last == len(self.names) - 1
            self.losses = [loss for loss in self._known_losses if whole or loss.frame_name in before]
            for index in sorted(wanted - self._lost):
                yield Frame(index, self.names[index], self._get(index))
            return
        for frame in self._decode(last):
            if frame.index in wanted:
                yield frame

    def close(self) -> None:
        """Forget all frames; may be called more than once."""
        self._kept.clear()
        self._bytes = 0
        if self._spill is not None:
            self._spill.close()
            self._spill = None

    def _decode(self, last: int) -> Iterator[Frame]:
        following = 0
        for frame in self._source.select(range(last + 1)):
            self.losses = self._source.losses
            self._lost.update(range(following, frame.index))
            following = frame.index + 1
            self._keep(frame)
            yield frame
        self._lost.update(range(following, last + 1))
        self.losses = list(self._source.losses)
        if last >= self._passed:
            self._passed, self._known_losses = last, self.losses

    def _keep(self, frame: Frame) -> None:
        if frame.index in self._kept:
            self._kept.move_to_end(frame.index)
            return
        if self._most is None:
            self._most = min(MOST_BYTES, int(SHARE * shutil.disk_usage(self._folder).free))
        try:
            if self._spill is None:
                self._spill = FrameSpill(self._folder)
            while self._kept and self._bytes + frame.rgb.nbytes > self._most:
                index, size = self._kept.popitem(last=False)
                self._spill.discard(index)
                self._bytes -= size
            if frame.rgb.nbytes <= self._most:
                self._spill.put(frame.index, frame.rgb)
                self._kept[frame.index] = frame.rgb.nbytes
                self._bytes += frame.rgb.nbytes
        except DeviceError:  # no room after all: this frame will be decoded again when it is asked for
            self._most = self._bytes

    def _get(self, index: int) -> ImageArray:
        assert self._spill is not None
        self._kept.move_to_end(index)
        rgb: ImageArray = self._spill.get(index)
        return rgb
