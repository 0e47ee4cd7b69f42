"""Frames of one interval, by index: in memory while they are few, else read again or put aside on disk."""

from __future__ import annotations

from pathlib import Path

from vsodtool.media.spill import FrameSpill
from vsodtool.media.video.folder_frames import FolderFrames
from vsodtool.media.video.frames import FrameSource
from vsodtool.types import Frame, ImageArray

HELD_BYTES = 32 * 2**20  # 27 frames of 854x480
FEWEST_HELD = 4


class FrameStore:
    """Frames put once, in order, and read in any order; memory is bounded whatever their number.

    Args:
        source: where the frames come from; a folder can read any of them again, None cannot.
        spill_folder: where frames of a video file are put aside.
    """

    def __init__(self, source: FrameSource | None, spill_folder: Path) -> None:
        self._source = source
        self._folder = spill_folder
        self._held: dict[int, ImageArray] = {}
        self._limit = 0
        self._spill: FrameSpill | None = None
        self.is_long = False

    def put(self, frame: Frame) -> None:
        """Keep a frame.

        Raises:
            DeviceError: the disk that frames are put aside on is full or not writable.
        """
        if not self._limit:
            self._limit = max(HELD_BYTES // frame.rgb.nbytes, FEWEST_HELD)
        if not self.is_long and len(self._held) < self._limit:
            self._held[frame.index] = frame.rgb
            return
        if not self.is_long:
            self.is_long = True
            for index, rgb in self._held.items():
                self._put_aside(index, rgb)
            self._held.clear()
        self._put_aside(frame.index, frame.rgb)

    def get(self, index: int) -> ImageArray:
        """A frame that was put, uint8 (H, W, 3)."""
        if not self.is_long:
            return self._held[index]
        if isinstance(self._source, FolderFrames):
            return self._source.read(index).rgb
        assert self._spill is not None
        rgb: ImageArray = self._spill.get(index)
        return rgb

    def spill(self) -> FrameSpill:
        """A new place to put arrays aside beside the frames."""
        return FrameSpill(self._folder)

    def close(self) -> None:
        """Forget all frames."""
        self._held.clear()
        if self._spill is not None:
            self._spill.close()

    def _put_aside(self, index: int, rgb: ImageArray) -> None:
        if isinstance(self._source, FolderFrames):
            return
        if self._spill is None:
            self._spill = FrameSpill(self._folder)
        self._spill.put(index, rgb)
