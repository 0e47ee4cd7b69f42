"""Opening a video: one interface over folders of frames and video files."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction
from typing import Protocol

from vsodtool.media.video.file_frames import FileFrames
from vsodtool.media.video.folder_frames import FolderFrames
from vsodtool.media.video.inputs import Loss, VideoInput, is_image_file
from vsodtool.media.video.stack_frames import StackFrames
from vsodtool.types import Frame, Size

__all__ = ["FileFrames", "FolderFrames", "FrameSource", "Loss", "StackFrames", "open_frames"]


class FrameSource(Protocol):
    """Frames of one video, streamed in order; memory does not grow with the length.

    Iterating again starts from the beginning, with `losses` empty. A frame that does not decode is left out
    and listed in `losses`; a video that ends early ends the iteration and lists one loss.
    """

    @property
    def video(self) -> VideoInput:
        """The video this reads."""
        ...

    @property
    def names(self) -> list[str]:
        """Names of all frames in order, known before decoding, frames that will not decode included."""
        ...

    @property
    def size(self) -> Size:
        """(H, W) of every frame, rotation applied. Raises DataError where nothing decodes."""
        ...

    @property
    def fps(self) -> float:
        """Frames per second: that of the file, 24 for folders."""
        ...

    @property
    def times(self) -> Sequence[Fraction]:
        """Seconds since the first frame, of the frames that have a time; empty where the file says none."""
        ...

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a pixel by its height, as frames are meant to be shown, rotation applied."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """Lines for people: what of the file is not read, and how depths above 8 bit are shown.

        The latter has all frames decoded once. Raises DataError where nothing decodes.
        """
        ...

    @property
    def is_cut(self) -> bool:
        """Whether the end of the file is known to be missing, so that every iteration lists a loss."""
        ...

    @property
    def losses(self) -> list[Loss]:
        """What the latest iteration could not read, so far."""
        ...

    def __iter__(self) -> Iterator[Frame]:
        """Decode in order. Raises DataError where nothing decodes at all, or a frame has another size."""
        ...

    def select(self, indices: Collection[int]) -> Iterator[Frame]:
        """As iterating from the beginning, but only the frames of these indices."""
        ...


def open_frames(video: VideoInput) -> FolderFrames | FileFrames | StackFrames:
    """The frame source for a video.

    Raises:
        DataError: a video file cannot be opened or holds no video stream.
    """
    if video.kind == "folder":
        return FolderFrames(video)
    return StackFrames(video) if is_image_file(video.path) else FileFrames(video)
