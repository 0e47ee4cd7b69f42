"""One run at a time per output folder, or the shards of one run: an unsharded run never beside them."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

from vsodtool.config.shard import Shard
from vsodtool.errors import DataError, DeviceError
from vsodtool.media.atomic import disk_errors
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.own_files import open_own

if sys.platform != "win32":
    import fcntl

_HELD = frozenset({errno.EAGAIN, errno.EACCES, errno.EWOULDBLOCK})
NO_LOCKS_HERE = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL})
_LONGEST = 32  # bytes that a lock may hold
_PAUSE = 0.05  # seconds between two looks at a lock that somebody holds


class OutputLock:
    """A file that one process holds locked (flock) while it writes to an output folder.

    The system drops the lock when the process ends, however it ends; a killed run's file locks nothing.
    On Windows, and on network disks that know no locks, two runs at once are not noticed.
    """

    def __init__(self, path: Path, *, shared: bool = False, wait: bool = False) -> None:
        """Take the lock at `path`; the folder must exist.

        Args:
            path: the file.
            shared: beside others that hold it shared; give it back only while none of them does the same.
            wait: until whoever holds it has given it back.

        Raises:
            DataError: there is something else of that name, or a link.
            DeviceError: another run holds it (and `wait` is not set), or the file cannot be made.
        """
        self._path, self._shared, self._wait = path, shared, wait
        self._descriptor = -1
        while self._descriptor < 0:
            self._descriptor = self._try_to_take()

    def release(self) -> None:
        """Give the lock back and remove its file, unless others share it. Releasing twice is harmless."""
        if self._descriptor < 0:
            return
        # Removed while still held: whoever opened the old file meanwhile sees that and tries again.
        try:
            if not self._shared or _take(self._descriptor, self._path, shared=False):
                with disk_errors(self._path):
                    self._path.unlink(missing_ok=True)
        finally:
            os.close(self._descriptor)
            self._descriptor = -1

    def check(self) -> None:
        """Require that the folder is still where it was.

        Raises:
            DeviceError: it was moved or deleted while the run was at work.
        """
        if self._descriptor >= 0 and not _is_same_file(self._descriptor, self._path):
            raise DeviceError(
                f"the output folder {self._path.parent} was moved or deleted while it was written to",
                "put it back where it was and run the same command again; what is finished there counts",
            )

    def _try_to_take(self) -> int:
        descriptor = open_own(self._path, os.O_RDWR | os.O_CREAT)
        try:
            _refuse_foreign(descriptor, self._path)
            taken = _take(descriptor, self._path, shared=self._shared)
            if not taken and not self._wait:
                raise _held_error(descriptor, self._path)
            if taken and _is_same_file(descriptor, self._path):
                with disk_errors(self._path):
                    os.ftruncate(descriptor, 0)
                    os.write(descriptor, str(os.getpid()).encode())
                return descriptor
        except (DataError, DeviceError):
            os.close(descriptor)
            raise
        os.close(descriptor)
        if not taken:
            time.sleep(_PAUSE)
        return -1


class Holding(Enum):
    """What is known about a lock from outside."""

    FREE = "nobody holds it"
    HELD = "somebody holds it"
    UNKNOWN = "this disk, or this system, knows no locks"


def probe(path: Path) -> Holding:
    """Look whether somebody holds the lock at `path`; remove the file if it was left by a killed process.

    Raises:
        DeviceError: the file cannot be opened or removed.
    """
    try:
        descriptor = open_own(path, os.O_RDWR)
    except FileNotFoundError:
        return Holding.FREE
    try:
        holding = _try_lock(descriptor, path, shared=False)
        if holding is Holding.FREE and _is_same_file(descriptor, path):
            with disk_errors(path):
                path.unlink(missing_ok=True)
        return holding
    finally:
        os.close(descriptor)


class ShardLocks:
    """What a shard holds: the lock of the folder, shared with the other shards, and a lock of its own.

    Take, release and look only inside `gate()`: there one shard at a time begins or ends.
    """

    def __init__(self, layout: OutputLayout, shard: Shard) -> None:
        self._layout, self._shard = layout, shard
        self._held: list[OutputLock] = []

    @contextmanager
    def gate(self) -> Iterator[None]:
        """Wait until no other shard begins or ends, and keep them waiting inside the block.

        Raises:
            DataError: there is something else of the gate's name, or a link.
            DeviceError: its file cannot be made.
        """
        lock = OutputLock(self._layout.gate, wait=True)
        try:
            yield
        finally:
            lock.release()

    def take(self) -> None:
        """Take both locks.

        Raises:
            DeviceError: an unsharded run, the same shard, or shards of another division are at work.
        """
        try:
            self._held.append(OutputLock(self._layout.lock, shared=True))
            for other, path in self._layout.shard_locks().items():
                if other.count != self._shard.count and probe(path) is Holding.HELD:
                    raise DeviceError(
                        f"shard {other} is writing to {self._layout.root}, and divides the videos otherwise "
                        f"than shard {self._shard}",
                        "wait for it, or choose another output folder",
                    )
            self._held.append(OutputLock(self._layout.shard_lock(self._shard)))
        except BaseException:
            self.release()
            raise

    def alone(self) -> bool:
        """Whether certainly no other process is at work here; never where the disk knows no locks."""
        locks = self._layout.shard_locks()
        own = locks.pop(self._shard, None)
        if own is None or probe(own) is not Holding.HELD:
            return False
        return {probe(path) for path in locks.values()} <= {Holding.FREE}

    def check(self) -> None:
        """Require that the folder is still where it was, as `OutputLock.check`."""
        for lock in self._held:
            lock.check()

    def release(self) -> None:
        """Give both locks back; twice is harmless."""
        while self._held:
            self._held.pop().release()


def _take(descriptor: int, path: Path, *, shared: bool) -> bool:
    """Lock an open file; False if another process holds it. True where there are no locks."""
    return _try_lock(descriptor, path, shared=shared) is not Holding.HELD


def _try_lock(descriptor: int, path: Path, *, shared: bool) -> Holding:
    """Lock an open file if it is free; what it was before."""
    if sys.platform == "win32":
        return Holding.UNKNOWN
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in NO_LOCKS_HERE:
            return Holding.UNKNOWN
        if error.errno in _HELD:
            return Holding.HELD
        raise DeviceError(
            f"cannot lock {path}: {error.strerror}", "choose an output folder on another disk"
        ) from error
    return Holding.FREE


def _held_error(descriptor: int, path: Path) -> DeviceError:
    holder = os.pread(descriptor, 32, 0).decode("ascii", "replace") or "unknown"
    return DeviceError(
        f"another run (process {holder}) is writing to {path.parent}",
        "wait for it, or choose another output folder",
    )


def _refuse_foreign(descriptor: int, path: Path) -> None:
    """A lock holds the number of a process, or nothing; anything else is somebody's."""
    content = os.pread(descriptor, _LONGEST + 1, 0)
    if len(content) > _LONGEST or not (content.isdigit() or not content):
        raise DataError(
            f"{path}: expected a lock of the tool's own, found another file",
            "remove it, or choose another output folder with -o",
        )


def _is_same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
