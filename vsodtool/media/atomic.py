"""Files that appear complete or not at all: a temporary file in the same folder, then a rename.

A run killed at any moment leaves at most hidden `.<name>.vsod<random>.tmp` files, which the next run removes.
The content is on the disk (fsync) before the name is, so a power cut leaves no empty file of the final name.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vsodtool.errors import DeviceError

_LEFTOVER = re.compile(r"^\..*\.vsod[0-9a-f]{12}\.tmp$", re.DOTALL)
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_LONGEST_STEM = 200  # bytes; file systems allow 255 for the whole name


def disk_error(error: OSError, path: Path) -> DeviceError:
    """The DeviceError that tells a user about `error`, met while writing `path`."""
    if error.errno in _FULL:
        return DeviceError(
            f"disk full: cannot write {path}", "free some space and run the same command again"
        )
    if error.errno in _DENIED:
        reason = (error.strerror or "not allowed").lower()
        return DeviceError(
            f"not writable: {path} ({reason})", "choose another output folder or change its permissions"
        )
    return DeviceError(
        f"cannot write {path}: {error.strerror or error}", "check the output folder and its disk"
    )


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn an OSError raised inside the block into the DeviceError of `disk_error`."""
    try:
        yield
    except OSError as error:
        raise disk_error(error, path) from error


def temporary_path(path: Path) -> Path:
    """A new hidden name beside `path`, recognised by `remove_leftovers`; the file is not created."""
    stem = os.fsdecode(os.fsencode(path.name)[:_LONGEST_STEM])
    return path.with_name(f".{stem}.vsod{secrets.token_hex(6)}.tmp")


def write_bytes_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path`, replacing what is there; parent folders are made.

    Raises:
        DeviceError: the disk is full, the folder is not writable, or the system refuses for another reason.
    """
    temporary = temporary_path(path)
    try:
        with disk_errors(path):
            _write_new(temporary, data)
            temporary.replace(path)
    except BaseException:
        _discard(temporary)
        raise


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Lend a temporary path to a writer that needs one; it becomes `path` when the block ends well.

    The block must create the file at the path that it is lent (suffix `.tmp`: say the format explicitly).
    After an exception the temporary file is removed and `path` is as it was.

    Raises:
        DeviceError: an OSError of the disk inside the block or at the rename.
    """
    temporary = temporary_path(path)
    try:
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
        except OSError as error:
            if error.errno in _FULL | _DENIED:
                raise disk_error(error, path) from error
            raise
        with disk_errors(path):
            _sync(temporary)
            temporary.replace(path)
    except BaseException:
        _discard(temporary)
        raise


def is_temporary(name: str) -> bool:
    """Whether a file of this name is not finished: `temporary_path` called it so."""
    return _LEFTOVER.match(name) is not None


def remove_leftovers(folder: Path, *, recursive: bool = True) -> int:
    """Delete the temporary files that killed runs left in `folder`; return how many there were.

    Only call it while no other run writes there. A missing folder is no error; linked folders are left alone.

    Raises:
        DeviceError: a leftover cannot be deleted.
    """
    removed = 0
    for where, folders, files in os.walk(folder):
        for name in files:
            if is_temporary(name):
                leftover = Path(where, name)
                with disk_errors(leftover):
                    leftover.unlink(missing_ok=True)
                removed += 1
        if not recursive:
            folders.clear()
    return removed


def _write_new(path: Path, data: bytes) -> None:
    # os.open instead of tempfile: the final file gets the permissions that the user's umask asks for.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags, 0o666)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, flags, 0o666)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        rest = memoryview(data)
        while rest:  # a raw write may take less than it is given
            rest = rest[file.write(rest) :]
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _discard(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return  # the first error is the one to report; the next run removes the leftover
