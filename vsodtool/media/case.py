"""Names that differ only in case: on disks of Macs and Windows, and on many sticks, they are one file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from vsodtool.errors import UsageError
from vsodtool.media.atomic import temporary_path

_LOOKED_AT = 1000  # entries of a folder


def check_case(root: Path, names: Iterable[str], what: str) -> None:
    """Refuse names that would be one where files of these names are written.

    Args:
        root: the folder to write into, existing or not.
        names: of files or folders of one folder there.
        what: they name, in the plural, for the message.

    Raises:
        UsageError: naming two of them.
    """
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.casefold(), name)
        if other != name and folds_case(root):
            raise UsageError(
                f"{what} '{other}' and '{name}' differ only in case, and {root} lies on a disk that takes "
                "them for one",
                "rename one of the two, or choose an output on another disk",
            )


def folds_case(folder: Path) -> bool:
    """Whether a folder, or the one that it would be made in, takes `A` and `a` for the same name.

    The file system is asked, by the names of what lies there; where that is nothing, by a file that is made
    and deleted again.
    """
    existing = folder
    while not existing.is_dir() and existing != existing.parent:
        existing = existing.parent
    try:
        with os.scandir(existing) as entries:
            names = {entry.name for entry in islice(entries, _LOOKED_AT)}
        for name in names:
            other = name.swapcase()
            if other != name and other not in names:
                return _is_there(existing / other)
        probe = temporary_path(existing / "case")
        probe.touch(exist_ok=False)
        try:
            return _is_there(probe.with_name(probe.name.swapcase()))
        finally:
            probe.unlink()
    except OSError:  # not to be read or written: whoever writes there says so
        return False


def _is_there(path: Path) -> bool:
    return os.path.lexists(path)
