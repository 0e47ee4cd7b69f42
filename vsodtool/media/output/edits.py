"""Masks that somebody drew on since they were written: found, and moved to the corrections.

Those that were saved in another size say nothing of their frames: they are kept beside the corrections.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import TypeAlias

from vsodtool.media.atomic import disk_errors
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.lock import OutputLock
from vsodtool.media.output.own_files import lies_in_own_folder
from vsodtool.media.output.stamps import Condition, Stamp, known_condition, other_size
from vsodtool.media.output.written import read_written
from vsodtool.types import Size

# Masks that were found as they were written; they are others with their size, time of change or number.
Intact: TypeAlias = dict[Path, tuple[tuple[int, int, int], Stamp]]


def find_edits(layout: OutputLayout, intact: Intact | None = None) -> list[Path]:
    """The masks that somebody drew on since they were written; reads only.

    Args:
        layout: the output folder.
        intact: remembers what was found out, for who asks several times.

    Raises:
        DataError: a state file is a link.
        DeviceError: the disk fails.
    """
    files = read_written(layout).files
    own = cache(
        lambda folder: lies_in_own_folder(layout, folder / "a mask")
    )  # asked once for thousands of masks
    masks = (layout.root / name for name in files if name.startswith("masks/"))
    paths = [path for path in masks if own(path.parent)]

    def condition_of(path: Path) -> Condition:
        written = files[path.relative_to(layout.root).as_posix()]
        status = path.stat() if intact is not None and path.is_file() else None
        if intact is None or status is None:
            return known_condition(layout, path, files)
        key = status.st_size, status.st_mtime_ns, status.st_ino
        if intact.get(path) == (key, written):
            return Condition.INTACT
        found = known_condition(layout, path, files)
        if found is Condition.INTACT:
            intact[path] = key, written
        return found

    with ThreadPoolExecutor(os.cpu_count(), "compare") as pool:
        found = pool.map(condition_of, paths, chunksize=64)
        return [path for path, each in zip(paths, found, strict=True) if each is Condition.EDITED]


def take_over_edits(layout: OutputLayout) -> list[Path]:
    """Move the masks that somebody drew on to the corrections.

    Returns:
        Where they lie now.

    Raises:
        DataError: a state file is a link.
        DeviceError: another run is writing there, or something cannot be moved.
    """
    lock = OutputLock(layout.lock)
    try:
        return [keep_edit(layout, path) for path in find_edits(layout)]
    finally:
        lock.release()


@dataclass(frozen=True)
class Resized:
    """A mask that somebody saved in another size.

    Attributes:
        path: where it lies, or lay.
        found: its size, (H, W).
        expected: the size in which it was written, (H, W).
    """

    path: Path
    found: Size
    expected: Size


def find_resized(layout: OutputLayout, files: Mapping[str, Stamp]) -> list[Resized]:
    """The masks that somebody saved in another size; reads only.

    Args:
        layout: the output folder.
        files: what was written, by paths from the output folder.

    Raises:
        DeviceError: the disk fails.
    """
    found = []
    for name, written in files.items():
        path = layout.root / name
        if name.startswith("masks/") and lies_in_own_folder(layout, path):
            size = other_size(path, written)
            if size is not None and written.picture is not None:
                found.append(Resized(path, size, written.picture))
    return found


def keep_aside(layout: OutputLayout, mask: Path) -> Path:
    """Move a mask beside the corrections, where nothing reads it.

    Returns:
        Where it lies now.

    Raises:
        DeviceError: it cannot be moved.
    """
    kept = _free_name(layout, mask.parent.name, mask.stem)
    with disk_errors(kept):
        kept.parent.mkdir(parents=True, exist_ok=True)
        mask.rename(kept)
    return kept


def keep_resized(layout: OutputLayout, resized: Sequence[Resized]) -> dict[Path, Resized]:
    """Move masks of another size beside the corrections.

    Returns:
        Each by where it lies now.

    Raises:
        DeviceError: one cannot be moved.
    """
    return {keep_aside(layout, each.path): each for each in resized}


def _free_name(layout: OutputLayout, video: str, stem: str) -> Path:
    names = (layout.corrections / ".earlier" / video / f"{stem}.{number}.png" for number in count(1))
    return next(path for path in names if not os.path.lexists(path))


def keep_edit(layout: OutputLayout, mask: Path) -> Path:
    """Move an edited mask to the corrections; an earlier correction of that frame is kept beside them.

    Returns:
        Where it lies now.

    Raises:
        DeviceError: it cannot be moved.
    """
    target = layout.correction(mask.parent.name, mask.stem)
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(target):
            keep_aside(layout, target)
        mask.rename(target)
    return target
