"""The folder that stands for an output behind a URL: it begins as a copy, and its changes are uploaded.

What the journal lists is uploaded while the run goes on, the journal after it. So a run that is killed loses
what it made in the last seconds, and the next one finds the rest in the bucket.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from vsodtool.errors import ConfigError, VsodtoolError
from vsodtool.media.atomic import disk_errors
from vsodtool.media.buckets import Bucket, Stored
from vsodtool.media.output.layout import OutputLayout
from vsodtool.pipelines.running.staging.copying import AT_ONCE, bring, files_of
from vsodtool.pipelines.running.staging.file_lock import hold
from vsodtool.types import OnEvent

_PAUSE = 2.0  # seconds between two looks at the journal
_OUT, _PROBE = "out-", ".vsodtool-probe"
_STATE = ("written.jsonl", "objects.csv", "frames.csv", "manifest.json")  # uploaded last, in this order


@contextmanager
def mirrored(bucket: Bucket, root: Path, urls: Mapping[str, str], on_event: OnEvent) -> Iterator[Mirror]:
    """A folder that holds what lies in the bucket, and whose changes are uploaded; gone after the block.

    After a failure, too, what is finished is uploaded.
    """
    if bucket.is_http:
        raise ConfigError(f"output: {bucket.url} can only be read", "choose a bucket or a folder")
    before = bucket.list()
    with disk_errors(root):
        root.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(root)
    with (
        tempfile.TemporaryDirectory(prefix=_OUT, dir=root) as name,
        (Path(name) / ".lock").open("w") as lock,
    ):
        hold(lock)
        _check_writable(bucket, Path(name) / _PROBE)
        folder = Path(name) / bucket.name
        names = {**urls, str(folder): bucket.url}
        bring(bucket, before, folder, on_event)
        _translate(folder, {url: path for path, url in names.items()})
        mirror = Mirror(bucket, folder, before, names)
        mirror.start()
        try:
            yield mirror
        finally:
            mirror.stop()
        mirror.check()


def _remove_leftovers(root: Path) -> None:
    """Delete the folders of killed runs."""
    for folder in root.glob(f"{_OUT}*"):
        if (folder / ".lock").is_file():  # else it is just being made
            with (folder / ".lock").open("r+") as lock:
                if hold(lock, wait=False):
                    shutil.rmtree(folder, ignore_errors=True)


def _check_writable(bucket: Bucket, probe: Path) -> None:
    """Write an object and delete it: no right to it must not be found out after hours."""
    with disk_errors(probe):
        probe.touch()
    bucket.put(probe, probe.name)
    bucket.delete(probe.name)


class Mirror:
    """Uploads what the journals list while a run goes on, and everything at its end."""

    def __init__(
        self, bucket: Bucket, folder: Path, before: Mapping[str, Stored], names: Mapping[str, str]
    ) -> None:
        """Nothing is uploaded yet.

        Args:
            bucket: to upload to.
            folder: that was made of it.
            before: what lay in the bucket then.
            names: paths of this machine and what the manifest in the bucket names instead.
        """
        self._bucket, self.folder, self._names = bucket, folder, names
        self._there = {name: _mark(folder / name) for name in before if (folder / name).is_file()}
        self._ended = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._follow, name="upload", daemon=True)
        self._read: dict[Path, int] = {}

    def start(self) -> None:
        """Begin to look at the journals."""
        self._thread.start()

    def stop(self) -> None:
        """Upload what is left; what goes wrong with it is for `check`."""
        self._ended.set()
        self._thread.join()
        if self._error is None:
            try:
                self._finish()
            except VsodtoolError as error:
                self._error = error

    def check(self) -> None:
        """Raise what went wrong."""
        if self._error is not None:
            raise self._error

    def _follow(self) -> None:
        try:
            while not self._ended.wait(_PAUSE):
                self._upload_listed()
        except Exception as error:  # noqa: BLE001  raised at the end, in the thread of the run
            self._error = error

    def _upload_listed(self) -> None:
        """The manifest first of all; what journals list since the last look, then these journals."""
        if (self.folder / "manifest.json").is_file():
            self._upload(["manifest.json"])
        for journal in OutputLayout(self.folder).journals():
            start = self._read.get(journal, 0)
            with journal.open("rb") as file:
                file.seek(start)
                lines = file.read().rpartition(b"\n")[0]
            listed = [json.loads(line) for line in lines.splitlines()]
            self._upload([each["file"] for each in listed if "file" in each])
            if listed:
                self._upload([journal.name])
                self._read[journal] = start + len(lines) + 1

    def _finish(self) -> None:
        """The state last: what it says must be there."""
        now = sorted(path.relative_to(self.folder).as_posix() for path in files_of(self.folder))
        self._upload([name for name in now if name not in _STATE])
        for name in _STATE:
            self._upload([name] if name in now else [])
        # Only what was deleted here: what is not uploaded need not be the tool's.
        gone = sorted(name for name in self._there if not os.path.lexists(self.folder / name))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._bucket.delete, gone))

    def _upload(self, names: Sequence[str]) -> None:
        changed = [
            name
            for name in dict.fromkeys(names)
            if (self.folder / name).is_file() and self._there.get(name) != _mark(self.folder / name)
        ]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._put, changed))

    def _put(self, name: str) -> None:
        path = self.folder / name
        mark = _mark(path)
        if name == "manifest.json":
            with tempfile.TemporaryDirectory() as folder:
                told = Path(folder) / name
                told.write_text(_renamed(path.read_text("utf-8"), self._names), "utf-8")
                self._bucket.put(told, name)
        else:
            self._bucket.put(path, name)
        self._there[name] = mark


def _translate(folder: Path, names: Mapping[str, str]) -> None:
    manifest = folder / "manifest.json"
    if manifest.is_file():
        status = manifest.stat()
        manifest.write_text(_renamed(manifest.read_text("utf-8"), names), "utf-8")
        os.utime(manifest, ns=(status.st_atime_ns, status.st_mtime_ns))


def _renamed(text: str, names: Mapping[str, str]) -> str:
    for old in sorted(names, key=len, reverse=True):
        text = text.replace(old, names[old])
    return text


def _mark(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
