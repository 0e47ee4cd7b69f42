"""The frames of a video as a browser shows them: files as they lie, and everything else as JPEG.

A video file is decoded once, in order and never by seeking, in the background into a folder; so what is shown
is the frame that its number says, and whoever asks for a late one waits.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from vsodtool.errors import DataError, VsodtoolError
from vsodtool.media.images import JPEG, encode_jpeg, shown_type, shrink_picture
from vsodtool.media.regular_file import read_regular
from vsodtool.media.video.folder_frames import FolderFrames
from vsodtool.media.video.frames import FrameSource

QUALITY = 90
SMALL_QUALITY = 80
_SMALL_KEPT = 4096  # small pictures that are kept; a few kB each


@dataclass(frozen=True)
class Picture:
    """A picture for a browser.

    Attributes:
        data: the bytes of the file.
        kind: its media type.
    """

    data: bytes
    kind: str = JPEG


class BrowserFrames:
    """Pictures of the frames of one video, by index. Callable from several threads."""

    def __init__(self, source: FrameSource, folder: Path) -> None:
        """Nothing is decoded yet.

        Args:
            source: the video.
            folder: where the frames of a file are put; whoever lends it deletes it.
        """
        self._source, self._folder = source, folder
        self._lock = threading.Lock()
        self._decoded: set[int] = set()
        self._thread: threading.Thread | None = None
        self._ended = False
        self._stop = threading.Event()
        self._failure = ""
        self._small: OrderedDict[tuple[int, int], Picture] = OrderedDict()

    def ready(self, index: int) -> bool:
        """Whether `read` would answer at once; begins to decode a file if nobody has yet."""
        if isinstance(self._source, FolderFrames):
            return True
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._decode, name="frames", daemon=True)
                self._thread.start()
            return self._ended or index in self._decoded

    def read(self, index: int, longest: int = 0) -> Picture:
        """A frame that is ready.

        Args:
            index: from 0.
            longest: the largest side in pixels, 0 for the frame's own size.

        Raises:
            DataError: it did not decode.
        """
        if not longest:
            return self._whole(index)
        key = index, longest
        with self._lock:
            if key in self._small:
                self._small.move_to_end(key)
                return self._small[key]
        small = Picture(shrink_picture(self._whole(index).data, longest, SMALL_QUALITY))
        with self._lock:
            self._small[key] = small
            if len(self._small) > _SMALL_KEPT:
                self._small.popitem(last=False)
        return small

    def close(self) -> None:
        """Stop decoding."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _whole(self, index: int) -> Picture:
        source = self._source
        if not isinstance(source, FolderFrames):
            path = self._path(index)
            if not path.is_file():
                raise DataError(
                    f"{source.video.path}: frame {index} did not decode"
                    + (f": {self._failure}" if self._failure else ""),
                    "check the file with ffprobe, or get another copy of it",
                )
            return Picture(read_regular(path))
        path = source.video.files[index]
        try:
            data = read_regular(path)
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror or error}", "replace it") from error
        kind = shown_type(data)
        return Picture(data, kind) if kind else Picture(encode_jpeg(source.read(index).rgb, QUALITY))

    def _path(self, index: int) -> Path:
        return self._folder / f"{index}.jpg"

    def _decode(self) -> None:
        try:
            with closing(iter(self._source)) as frames:  # type: ignore[type-var]
                for frame in frames:
                    if self._stop.is_set():
                        return
                    self._path(frame.index).write_bytes(encode_jpeg(frame.rgb, QUALITY))
                    with self._lock:
                        self._decoded.add(frame.index)
        except (VsodtoolError, OSError) as error:  # told to whoever asks for a frame
            self._failure = str(error)
        finally:
            with self._lock:
                self._ended = True
