"""OUT/corrections, to which several servers may write: one at a time, and each hears of the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from vsodtool.media.atomic import disk_errors
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.lock import OutputLock

LOCK = ".review.lock"
_Stamps = dict[Path, object]


class SharedFolder:
    """The folder as one server knows it. Callable from several threads.

    What another has written is noticed by the times of review.json and of the folders of the videos, which
    change with every file that is put there.
    """

    def __init__(self, layout: OutputLayout, videos: Sequence[str] = ()) -> None:
        """Know what lies there now.

        Args:
            layout: of the output folder.
            videos: names of those that are looked at.
        """
        self._folder, self._notes = layout.corrections, layout.notes
        self._watched = [self._notes, *(self._folder / video for video in videos)]
        self._writing = threading.Lock()
        self._known = self._stamps()
        self.changes = 0  # of others, that were noticed

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Write in the block, alone; not to be nested.

        Raises:
            DataError: there is something else of the lock's name.
            DeviceError: the folder cannot be written.
        """
        with self._writing:
            with disk_errors(self._folder):
                self._folder.mkdir(parents=True, exist_ok=True)
            lock = OutputLock(self._folder / LOCK, wait=True)
            try:
                self._look()
                yield
                self._known = self._stamps()
            finally:
                lock.release()

    def look(self) -> bool:
        """Whether others have changed masks since this was asked last; `changes` counts notes, too."""
        if not self._writing.acquire(blocking=False):
            return False  # what this server writes is no news; what another did is seen next time
        try:
            return self._look()
        finally:
            self._writing.release()

    def _look(self) -> bool:
        stamps = self._stamps()
        changed = {path for path in self._watched if stamps[path] != self._known[path]}
        self._known = stamps
        self.changes += bool(changed)
        return bool(changed - {self._notes})

    def _stamps(self) -> _Stamps:
        return {path: _stamp(path) for path in self._watched}


def _stamp(path: Path) -> object:
    """What is another when a file was replaced, or a file of a folder; None where there is nothing."""
    try:
        status = path.stat(follow_symlinks=False)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
