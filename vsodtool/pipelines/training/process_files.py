"""Temporary files of processes that read data, named so that the next run finds what a killed one left.

multiprocessing keeps sockets in a temporary folder, and semaphores under names of the system; a process that
is killed with all of its helpers removes neither. Here both bear one name, and a lock in the folder tells
whether their process lives: the system lets go of it, however the process ended.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import tempfile
from functools import cache
from multiprocessing import util
from pathlib import Path

_PREFIX = "vsodtool-readers-"
_LOCK = "lock"
_SEMAPHORES = Path("/dev/shm")  # where Linux shows them, as `sem.NAME`; elsewhere they cannot be listed


@cache
def own_process_files() -> None:
    """Name those of this process, and remove those of processes that are gone. Once in a process."""
    clear_abandoned()
    config = getattr(
        multiprocessing.current_process(), "_config", None
    )  # private; where it is not, names stay
    if not isinstance(config, dict) or "tempdir" in config:
        return
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        lock = _lock(folder, create=True)
        if lock is not None:
            break
    config.update(tempdir=str(folder), semprefix=f"/{folder.name}")
    # After everything of multiprocessing's own, which is closed with higher priorities.
    util.Finalize(None, _remove, (folder, lock), exitpriority=-100)


def clear_abandoned() -> int:
    """Remove the files of processes that have ended without doing so; return how many processes that were.

    Only folders of this user are looked at. Whatever cannot be removed stays: it does no harm.
    """
    removed = 0
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if folder.is_symlink() or not folder.is_dir():
            continue
        lock = _lock(folder, create=False)
        if lock is not None:
            _remove(folder, lock)
            removed += 1
    return removed


def _lock(folder: Path, *, create: bool) -> int | None:
    """The descriptor of the lock of a folder; None where another process holds it, or there is none."""
    if os.name != "posix":
        return None if not create else -1
    import fcntl

    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | (os.O_CREAT if create else 0)
    try:
        if folder.stat().st_uid != os.getuid():
            return None
        lock = os.open(folder / _LOCK, flags, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(lock).st_nlink:  # else whoever had it has removed the folder
            return lock
    except OSError:
        pass  # it lives
    os.close(lock)
    return None


def _remove(folder: Path, lock: int) -> None:
    """The semaphores of a folder's name, then the folder; its lock is let go of last."""
    if _SEMAPHORES.is_dir():
        for semaphore in _SEMAPHORES.glob(f"sem.{folder.name}-*"):
            try:
                semaphore.unlink(missing_ok=True)
            except OSError:
                continue  # of another user
    shutil.rmtree(folder, ignore_errors=True)
    if lock >= 0:
        os.close(lock)
