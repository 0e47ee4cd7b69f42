"""Let a verb take URLs: its configuration gets paths in their place, its report and events get them back.

Inputs are fetched into a cache that outlives the run (`cache.py`); the output folder is a copy of what lies
in the bucket, and what the run writes there is uploaded while it goes on (`mirror.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

from vsodtool.config import CommonConfig
from vsodtool.config.url import UrlPath, is_url
from vsodtool.errors import ConfigError, VsodtoolError
from vsodtool.media.buckets import Bucket
from vsodtool.pipelines.running.staging.cache import Cache
from vsodtool.pipelines.running.staging.mirror import mirrored
from vsodtool.types import Event, OnEvent, ignore_event

C = TypeVar("C", bound=CommonConfig)
R = TypeVar("R")


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


def _items(value: Any) -> Sequence[Any]:
    return value if isinstance(value, tuple) else (value,)


def _values(config: Any) -> Iterator[Any]:
    for each in fields(config):
        yield from _items(getattr(config, each.name))
