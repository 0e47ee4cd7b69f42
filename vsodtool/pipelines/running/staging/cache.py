"""What was fetched from URLs, kept for later runs: a folder that several processes read and one fills."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from vsodtool.errors import ConfigError, DataError, DeviceError
from vsodtool.media.atomic import disk_errors
from vsodtool.media.buckets import Bucket
from vsodtool.pipelines.running.staging.copying import bring, is_whole
from vsodtool.pipelines.running.staging.file_lock import hold
from vsodtool.types import Event, OnEvent

_CACHE_GB = 50.0


class Cache:
    """A folder of what was fetched, one entry for each URL; the oldest go where the bound is reached."""

    def __init__(self, root: Path, most: float) -> None:
        """Use a folder.

        Args:
            root: made if it does not exist.
            most: bytes.
        """
        self.root, self._most = root, most

    @classmethod
    def of_environment(cls) -> Cache:
        """VSODTOOL_CACHE, or ~/.cache/vsodtool, with at most VSODTOOL_CACHE_GB.

        Raises:
            ConfigError: that is no number.
        """
        text = os.environ.get("VSODTOOL_CACHE_GB", str(_CACHE_GB))
        try:
            most = float(text) * 1e9
        except ValueError as error:
            raise ConfigError(f"VSODTOOL_CACHE_GB: expected a number, found '{text}'") from error
        root = os.environ.get("VSODTOOL_CACHE", "")
        return cls(Path(root) if root else Path.home() / ".cache/vsodtool", most)

    @contextmanager
    def fetched(self, bucket: Bucket, on_event: OnEvent) -> Iterator[Path]:
        """A copy of what lies behind a URL; what is there already and has not changed is not fetched again.

        Raises:
            DataError: nothing lies there.
            DeviceError: as `staged`.
        """
        there = bucket.list()
        if not there:
            raise DataError(f"{bucket.url}: expected a file or files below it, found none", "check the URL")
        entry = self.root / "inputs" / hashlib.sha256(bucket.url.encode()).hexdigest()[:16]
        copy = entry / bucket.name
        with self._lock_of(entry) as lock:
            os.utime(entry)
            if not is_whole(there, copy):
                if not hold(lock, wait=False) and sys.platform != "win32":
                    text = f"{bucket.url}: waiting for another run that fetches it, or reads what was there"
                    on_event(Event("notice", message=text))
                    hold(lock)
                self._make_room(entry, sum(stored.size for stored in there.values()), bucket)
                bring(bucket, there, copy, on_event)
                hold(lock, shared=True)
            yield copy

    def _lock_of(self, entry: Path) -> IO[str]:
        """The lock of an entry, held with others; they may read it too, while one fetches it nobody does.

        It is made anew where another process threw the entry away meanwhile.
        """
        while True:
            with disk_errors(entry):
                entry.mkdir(parents=True, exist_ok=True)
                try:
                    lock = (entry / ".lock").open("w")
                except FileNotFoundError:
                    continue
            hold(lock, shared=True)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(lock.fileno()), (entry / ".lock").stat()):
                    return lock
            lock.close()

    def _make_room(self, entry: Path, needed: int, bucket: Bucket) -> None:
        if needed > self._most:
            raise DeviceError(
                f"{bucket.url}: {needed / 1e9:.1f} GB do not fit into the cache of {self._most / 1e9:.1f} GB",
                "take fewer videos at a time, or let VSODTOOL_CACHE_GB be larger",
            )
        others = sorted((each for each in entry.parent.iterdir() if each != entry), key=_last_used)
        sizes = {each: _size(each) for each in others}
        total = needed + sum(sizes.values())
        for other in others:
            if total <= self._most:
                return
            with suppress(FileNotFoundError), (other / ".lock").open("w") as lock:
                if hold(lock, wait=False):
                    shutil.rmtree(other, ignore_errors=True)
                    total -= sizes[other]


def _size(folder: Path) -> int:
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # another process throws it away, too
                total += Path(where, name).stat().st_size
    return total


def _last_used(entry: Path) -> float:
    try:
        return entry.stat().st_mtime
    except FileNotFoundError:
        return 0.0
