"""Inputs and outputs that are URLs: a run works on a disk, beside which the bucket is kept the same.

Inputs are fetched into a cache that outlives the run. The output folder is a copy of what lies in the
bucket, found by listing; what the journal lists is uploaded while the run goes on, the journal after it. So a
run that is killed loses what it made in the last seconds, and the next one finds the rest in the bucket.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import wraps
from pathlib import Path
from typing import IO, Any, TypeVar

from vsodtool.config import CommonConfig
from vsodtool.config.url import UrlPath, is_url
from vsodtool.errors import ConfigError, DataError, DeviceError, VsodtoolError
from vsodtool.media.atomic import disk_errors, is_temporary
from vsodtool.media.buckets import Bucket, Stored
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.lock import NO_LOCKS_HERE
from vsodtool.types import Event, OnEvent, ignore_event

if sys.platform != "win32":
    import fcntl

C = TypeVar("C", bound=CommonConfig)
R = TypeVar("R")

_AT_ONCE = 16  # transfers
_PAUSE = 2.0  # seconds between two looks at the journal
_CACHE_GB = 50.0
_OUT, _PROBE = "out-", ".vsodtool-probe"
_STATE = ("written.jsonl", "objects.csv", "frames.csv", "manifest.json")  # uploaded last, in this order


@dataclass(frozen=True)
class Staged:
    """A configuration without URLs, and what its paths stand for.

    Attributes:
        config: with paths.
        urls: what each of these paths stands for, the longest path first.
        check: raises what went wrong with uploading, as soon as it is known.
    """

    config: Any
    urls: Mapping[str, str]
    check: Callable[[], None]

    def named(self, text: str) -> str:
        """A text with URLs instead of these paths."""
        for path, url in self.urls.items():
            text = text.replace(path, url)
        return text

    def restored(self, value: Any) -> Any:
        """A report, or a part of one, with URLs instead of these paths."""
        if isinstance(value, Path):
            named = self.named(str(value))
            return value if named == str(value) else UrlPath(named)
        if isinstance(value, str):
            return self.named(value)
        if isinstance(value, list | tuple) and type(value) in (list, tuple):
            return type(value)(map(self.restored, value))
        if is_dataclass(value) and not isinstance(value, type):
            kept = {each.name: getattr(value, each.name) for each in fields(value) if each.init}
            return replace(value, **{name: self.restored(item) for name, item in kept.items()})
        return value

    def tell(self, on_event: OnEvent) -> OnEvent:
        """A listener whose events speak of URLs, and who ends a run whose files can no more be uploaded."""

        def listen(event: Event) -> None:
            on_event(replace(event, message=self.named(event.message)))
            self.check()

        return listen


def with_urls(run: Callable[..., R]) -> Callable[..., R]:
    """Let a pipeline take URLs where its options say so; see the module."""

    @wraps(run)
    def staged_run(config: Any, *, on_event: OnEvent = ignore_event, **more: Any) -> R:
        if not any(map(is_url, _values(config))):
            return run(config, on_event=on_event, **more)
        with staged(config, on_event) as place:
            try:
                report = run(place.config, on_event=place.tell(on_event), **more)
            except VsodtoolError as error:
                error.message, error.hint = place.named(error.message), place.named(error.hint)
                error.args = (error.message,)
                raise
        restored: R = place.restored(report)
        return restored

    return staged_run


@contextmanager
def staged(config: C, on_event: OnEvent) -> Iterator[Staged]:
    """Lend a configuration whose URLs are paths; at the end the bucket of the output is as the folder.

    Raises:
        ConfigError: shards with an output behind a URL, which cannot lock each other out.
        UsageError: what reads such a URL is not installed.
        DataError: nothing lies behind a URL.
        DeviceError: no right to it, no answer, or the cache is too small.
    """
    urls: dict[str, str] = {}
    places: dict[str, Path] = {}
    changed: dict[str, Any] = {}
    check: Callable[[], None] = lambda: None  # noqa: E731
    output = getattr(config, "output", None)
    if isinstance(output, UrlPath) and getattr(config, "shard", None):
        raise ConfigError(
            f"shard: given together with the output {output}: a bucket has no locks",
            "divide by --engine ray, or let OUT lie on a disk that all see",
        )
    with ExitStack() as stack:
        cache = Cache.of_environment()
        for each in fields(config):
            value = getattr(config, each.name)
            if each.name == "output" or not any(map(is_url, _items(value))):
                continue
            paths = []
            for item in _items(value):
                if not is_url(item):
                    paths.append(item)
                    continue
                url = str(item).rstrip("/")
                if url not in places:
                    places[url] = stack.enter_context(cache.fetched(Bucket(url), on_event))
                there = places[url]
                urls[str(there)] = url
                paths.append(str(there) if isinstance(item, str) else there)
            changed[each.name] = tuple(paths) if isinstance(value, tuple) else paths[0]
        if isinstance(output, UrlPath):
            mirror = stack.enter_context(mirrored(Bucket(str(output)), cache.root, urls, on_event))
            urls[str(mirror.folder)] = str(output).rstrip("/")
            changed["output"], check = mirror.folder, mirror.check
        ordered = dict(sorted(urls.items(), key=lambda item: -len(item[0])))
        yield Staged(replace(config, **changed), ordered, check)


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
            if not _is_whole(there, copy):
                if not _hold(lock, wait=False) and sys.platform != "win32":
                    text = f"{bucket.url}: waiting for another run that fetches it, or reads what was there"
                    on_event(Event("notice", message=text))
                    _hold(lock)
                self._make_room(entry, sum(stored.size for stored in there.values()), bucket)
                _bring(bucket, there, copy, on_event)
                _hold(lock, shared=True)
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
            _hold(lock, shared=True)
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
                if _hold(lock, wait=False):
                    shutil.rmtree(other, ignore_errors=True)
                    total -= sizes[other]


@contextmanager
def mirrored(bucket: Bucket, root: Path, urls: Mapping[str, str], on_event: OnEvent) -> Iterator[_Mirror]:
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
        _hold(lock)
        _check_writable(bucket, Path(name) / _PROBE)
        folder = Path(name) / bucket.name
        names = {**urls, str(folder): bucket.url}
        _bring(bucket, before, folder, on_event)
        _translate(folder, {url: path for path, url in names.items()})
        mirror = _Mirror(bucket, folder, before, names)
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
                if _hold(lock, wait=False):
                    shutil.rmtree(folder, ignore_errors=True)


def _hold(lock: IO[str], *, shared: bool = False, wait: bool = True) -> bool:
    """Hold a file locked until it is closed; False if another process does, or may.

    On Windows, and on network disks that know no locks, nobody locks.
    """
    if sys.platform == "win32":
        return wait
    try:
        fcntl.flock(lock, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NO_LOCKS_HERE:
            raise
        return wait
    return True


def _check_writable(bucket: Bucket, probe: Path) -> None:
    """Write an object and delete it: no right to it must not be found out after hours."""
    with disk_errors(probe):
        probe.touch()
    bucket.put(probe, probe.name)
    bucket.delete(probe.name)


class _Mirror:
    """Uploads what the journals list while a run goes on, and everything at its end."""

    def __init__(
        self, bucket: Bucket, folder: Path, before: Mapping[str, Stored], names: Mapping[str, str]
    ) -> None:
        self._bucket, self.folder, self._names = bucket, folder, names
        self._there = {name: _mark(folder / name) for name in before if (folder / name).is_file()}
        self._ended = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._follow, name="upload", daemon=True)
        self._read: dict[Path, int] = {}

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
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
        now = sorted(path.relative_to(self.folder).as_posix() for path in _files(self.folder))
        self._upload([name for name in now if name not in _STATE])
        for name in _STATE:
            self._upload([name] if name in now else [])
        # Only what was deleted here: what is not uploaded need not be the tool's.
        gone = sorted(name for name in self._there if not os.path.lexists(self.folder / name))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(self._bucket.delete, gone))

    def _upload(self, names: Sequence[str]) -> None:
        changed = [
            name
            for name in dict.fromkeys(names)
            if (self.folder / name).is_file() and self._there.get(name) != _mark(self.folder / name)
        ]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
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


def _bring(bucket: Bucket, there: Mapping[str, Stored], copy: Path, on_event: OnEvent) -> None:
    """Make a copy what a listing says: fetch what is new or changed, delete what has gone."""

    def fetch(name: str) -> None:
        bucket.fetch(name, there[name], copy / name if name else copy)

    wanted = _lacking(there, copy)
    if wanted:
        size = sum(there[name].size for name in wanted) / 1e6
        on_event(Event("notice", message=f"fetching {len(wanted)} files ({size:.1f} MB) of {bucket.url}"))
    for path in _strangers(there, copy):
        path.unlink()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(fetch, wanted))
    if "" not in there:
        with disk_errors(copy):
            copy.mkdir(parents=True, exist_ok=True)


def _is_whole(there: Mapping[str, Stored], copy: Path) -> bool:
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
    return [path for path in _files(copy) if path.relative_to(copy).as_posix() not in there]


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


def _files(folder: Path) -> Iterator[Path]:
    """All but what is hidden: locks and files not yet finished."""
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".vsodtool-spill-")]
        yield from (
            Path(where, name) for name in names if not name.startswith(".vsod") and not is_temporary(name)
        )


def _mark(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


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


def _items(value: Any) -> Sequence[Any]:
    return value if isinstance(value, tuple) else (value,)


def _values(config: Any) -> Iterator[Any]:
    for each in fields(config):
        yield from _items(getattr(config, each.name))
