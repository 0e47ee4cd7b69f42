"""Opening the state files of a run: links are not followed, and what is not the tool's is not touched."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from vsodtool.errors import DataError
from vsodtool.media.atomic import disk_error, disk_errors
from vsodtool.media.folders import refuse_linked
from vsodtool.media.output.layout import OutputLayout

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)  # Windows has neither
_OTHER_FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def open_own(path: Path, flags: int) -> int:
    """Open a state file, a descriptor that the caller closes.

    Args:
        path: the file; made if `flags` say so.
        flags: of `os.open`.

    Raises:
        DataError: it is a link (also a hard one), a folder, a pipe or a device.
        FileNotFoundError: it is not there and is not to be made.
        DeviceError: the system refuses.
    """
    try:
        descriptor = os.open(path, flags | _NO_FOLLOW | _OTHER_FLAGS, 0o666)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not flags & os.O_CREAT:
            raise
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise _foreign(path) from error
        raise disk_error(error, path) from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        os.close(descriptor)
        raise _foreign(path)
    return descriptor


def read_own(path: Path) -> bytes | None:
    """The bytes of a state file, None where there is none.

    Raises:
        DataError: as `open_own`.
        DeviceError: the system refuses.
    """
    try:
        descriptor = open_own(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    with disk_errors(path), os.fdopen(descriptor, "rb") as file:
        return file.read()


def refuse_linked_folders(layout: OutputLayout, videos: Iterable[str]) -> None:
    """Refuse an output folder in which a folder to write to is a link: what is written would go elsewhere.

    Args:
        layout: the output folder.
        videos: names of the videos of the run.

    Raises:
        DataError: naming the link.
    """
    names = list(videos)
    for top in layout.folders:
        for folder in (top, *(top / name for name in names)):
            if folder.is_symlink() or not folder.is_dir():
                below: list[Path] = []
            else:
                below = [entry for entry in folder.iterdir() if entry.is_symlink()] if folder != top else []
            for each in (folder, *below):
                refuse_linked(each)


def lies_in_own_folder(layout: OutputLayout, path: Path) -> bool:
    """Whether a listed path lies in a folder of the tool's own, and not through a link or `..`."""
    inside = path.relative_to(layout.root).parts
    if len(inside) < 2 or ".." in inside or layout.root / inside[0] not in layout.folders:
        return False
    return not any(folder.is_symlink() for folder in path.parents if layout.root in folder.parents)


def _foreign(path: Path) -> DataError:
    found = (
        f"a link to {path.readlink()}" if path.is_symlink() else "something else, or a file with two names"
    )
    return DataError(
        f"{path}: expected a file of the tool's own, found {found}",
        "remove it, or choose another output folder with -o",
    )
