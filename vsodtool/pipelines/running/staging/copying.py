"""Make a folder what a listing of a bucket says: what it lacks, what it has too much, and fetching that."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from vsodtool.media.atomic import disk_errors, is_temporary
from vsodtool.media.buckets import Bucket, Stored
from vsodtool.types import Event, OnEvent

AT_ONCE = 16  # transfers


def bring(bucket: Bucket, there: Mapping[str, Stored], copy: Path, on_event: OnEvent) -> None:
    """Make a copy what a listing says: fetch what is new or changed, delete what has gone."""

    def fetch(name: str) -> None:
        bucket.fetch(name, there[name], copy / name if name else copy)

    wanted = _lacking(there, copy)
    if wanted:
        size = sum(there[name].size for name in wanted) / 1e6
        on_event(Event("notice", message=f"fetching {len(wanted)} files ({size:.1f} MB) of {bucket.url}"))
    for path in _strangers(there, copy):
        path.unlink()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(fetch, wanted))
    if "" not in there:
        with disk_errors(copy):
            copy.mkdir(parents=True, exist_ok=True)


def is_whole(there: Mapping[str, Stored], copy: Path) -> bool:
    """Whether a copy is what a listing says."""
    return copy.exists() and not _lacking(there, copy) and not _strangers(there, copy)


def _lacking(there: Mapping[str, Stored], copy: Path) -> list[str]:
    """What of a listing a copy lacks, or has in another form."""

    def is_there(name: str, stored: Stored) -> bool:
        path = copy / name if name else copy
        if not path.is_file():
            return False
        status = path.stat()
        return status.st_size == stored.size and status.st_mtime == stored.changed != 0

    return [name for name, stored in there.items() if not is_there(name, stored)]


def _strangers(there: Mapping[str, Stored], copy: Path) -> list[Path]:
    """What a copy has that a listing does not."""
    if not copy.is_dir():
        return []
    return [path for path in files_of(copy) if path.relative_to(copy).as_posix() not in there]


def files_of(folder: Path) -> Iterator[Path]:
    """All but what is hidden: locks and files not yet finished."""
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".vsodtool-spill-")]
        yield from (
            Path(where, name) for name in names if not name.startswith(".vsod") and not is_temporary(name)
        )
