"""One run at a time per output folder."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from vsodtool.errors import DeviceError
from vsodtool.media.atomic import disk_errors

if sys.platform != "win32":
    import fcntl

_HELD = frozenset({errno.EAGAIN, errno.EACCES, errno.EWOULDBLOCK})
_NO_LOCKS_HERE = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL})


class OutputLock:
    """A file that one process holds locked (flock) while it writes to an output folder.

    The system drops the lock when the process ends, however it ends; a killed run's file locks nothing.
    On Windows, and on network disks that know no locks, two runs at once are not noticed.
    """

    def __init__(self, path: Path) -> None:
        """Take the lock at `path`; the folder must exist.

        Raises:
            DeviceError: another run holds it, or the file cannot be made.
        """
        self._path = path
        self._descriptor = -1
        while self._descriptor < 0:
            self._descriptor = self._try_to_take()

    def release(self) -> None:
        """Give the lock back and remove its file. Releasing twice is harmless."""
        if self._descriptor < 0:
            return
        # Removed while still held: whoever opened the old file meanwhile sees that and tries again.
        try:
            with disk_errors(self._path):
                self._path.unlink(missing_ok=True)
        finally:
            os.close(self._descriptor)
            self._descriptor = -1

    def _try_to_take(self) -> int:
        with disk_errors(self._path):
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
        try:
            _lock(descriptor, self._path)
            if not _is_same_file(descriptor, self._path):
                os.close(descriptor)
                return -1
            with disk_errors(self._path):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, str(os.getpid()).encode())
        except DeviceError:
            os.close(descriptor)
            raise
        return descriptor


def _lock(descriptor: int, path: Path) -> None:
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _NO_LOCKS_HERE:
            return
        if error.errno not in _HELD:
            raise DeviceError(
                f"cannot lock {path}: {error.strerror}", "choose an output folder on another disk"
            ) from error
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace") or "unknown"
        raise DeviceError(
            f"another run (process {holder}) is writing to {path.parent}",
            "wait for it, or choose another output folder",
        ) from error


def _is_same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
