"""Objects behind URLs, through fsspec: listed, fetched, put, deleted; what fails is tried again for a while.

Credentials are those that the libraries find (environment, files, roles), never asked for, printed or
written.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from vsodtool.errors import DataError, DeviceError, UsageError
from vsodtool.media.atomic import atomic_path

R = TypeVar("R")

EXTRAS = {"s3": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "az", "http": "http", "https": "http"}
PATIENCE = 120.0  # seconds for which a service that does not answer is asked again
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0  # seconds between two questions
_DENIED = (
    "AccessDenied",
    "Forbidden",
    "Unauthorized",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "credentials",
    "ProfileNotFound",
)
_URLS = re.compile(r"url=\S+|\S+://\S+")  # in messages; names of objects may hold any of these words
_DENIALS, _LATER = (401, 403), (408, 425, 429)  # answers of HTTP
_BUGS = (TypeError, AttributeError, NotImplementedError)  # what does not change by asking again


@dataclass(frozen=True)
class Stored:
    """An object, as a listing shows it.

    Attributes:
        size: bytes.
        changed: seconds since 1970; 0 where the service does not say.
    """

    size: int
    changed: float


class _Missing(Enum):
    """What becomes of a request for an object that is not there, if the caller gives no answer for it."""

    REFUSED = "an error"


class Bucket:
    """What lies behind a URL: a file, or all whose names begin with it and a slash."""

    def __init__(self, url: str) -> None:
        """Nothing is asked yet.

        Raises:
            UsageError: the scheme is unknown, or what reads it is not installed.
        """
        self.url = url.rstrip("/")
        self.scheme = url.partition("://")[0].lower()
        if self.scheme not in EXTRAS:
            raise UsageError(
                f"{url}: expected one of {', '.join(f'{name}://' for name in EXTRAS)}", "copy it to a disk"
            )

    @property
    def name(self) -> str:
        """The last part."""
        return self.url.rpartition("/")[2].partition("?")[0] or "root"

    @property
    def is_http(self) -> bool:
        """It can only be read, and only file by file."""
        return EXTRAS[self.scheme] == "http"

    @cached_property
    def _at(self) -> tuple[Any, str]:
        extra = EXTRAS[self.scheme]
        try:
            import fsspec

            # Listings must be those of now: another process may have written there.
            options: dict[str, Any] = {} if self.is_http else {"use_listings_cache": False}
            if self.scheme == "s3":  # its patience would be multiplied by that of this class
                options["config_kwargs"] = {"retries": {"mode": "standard", "total_max_attempts": 1}}
            system, path = fsspec.core.url_to_fs(self.url, **options)
            if self.scheme == "s3":
                system.retries = 1
        except ImportError as error:
            raise UsageError(
                f"{self.url}: what reads {self.scheme}:// is not installed",
                f"pip install 'vsodtool[{extra}]'",
            ) from error
        except Exception as error:  # each library has its own for an account that it lacks
            raise self._refused("", error) from error
        return system, path

    def list(self) -> dict[str, Stored]:
        """The objects below the URL, by their names from there; "" is the URL itself, where it is a file.

        Raises:
            DeviceError: no right to, or the service does not answer.
        """
        system, root = self._at
        nothing: dict[str, Any] = {}
        if self.is_http:
            found = self._ask(lambda: {root: system.info(root)}, missing=nothing)
        else:
            found = self._ask(lambda: system.find(root, detail=True), missing=nothing)
        objects = {}
        for path, known in found.items():
            name = path[len(root) :].lstrip("/") if path != root else ""
            if ".." in name.split("/") or known.get("type") == "directory" or path.endswith("/"):
                continue
            objects[name] = Stored(int(known.get("size") or 0), _changed(known))
        return objects

    def fetch(self, name: str, stored: Stored, path: Path) -> None:
        """Write an object to a file, whole or not at all, with the time at which it changed.

        Raises:
            DataError: it has vanished, or has another size than was listed.
            DeviceError: no right to, the service does not answer, or the disk is full.
        """
        system, _ = self._at
        with atomic_path(path) as temporary:
            self._ask(lambda: system.get_file(self._path(name), str(temporary)), what=name)
            found = temporary.stat().st_size
            if stored.size and found != stored.size:
                raise DataError(
                    f"{self._shown(name)}: expected {stored.size} bytes as listed, found {found}",
                    "it was changed while it was read; run the same command again",
                )
            if stored.changed:
                os.utime(temporary, (stored.changed, stored.changed))

    def put(self, path: Path, name: str) -> None:
        """Upload a file, whole.

        Raises:
            DeviceError: no right to, or the service does not answer.
        """
        system, _ = self._at
        try:
            self._ask(lambda: system.put_file(str(path), self._path(name)), what=name)
        except DataError as error:
            raise DeviceError(f"{self.url}: there is no such bucket", "make it first") from error

    def delete(self, name: str) -> None:
        """Delete an object; one that is not there is no error.

        Raises:
            DeviceError: no right to, or the service does not answer.
        """
        system, _ = self._at
        self._ask(lambda: system.rm_file(self._path(name)), what=name, missing=None)

    def _path(self, name: str) -> str:
        _, root = self._at
        return f"{root}/{name}" if name else root

    def _shown(self, name: str) -> str:
        return f"{self.url}/{name}" if name else self.url

    def _ask(
        self, request: Callable[[], R], *, what: str = "", missing: R | _Missing = _Missing.REFUSED
    ) -> R:
        """The answer; `missing` where there is no such object, which else is an error."""
        until, pause = time.monotonic() + PATIENCE, FIRST_PAUSE
        while True:
            try:
                return request()
            except FileNotFoundError as error:
                if missing is not _Missing.REFUSED:
                    return missing
                raise DataError(
                    f"{self._shown(what)}: expected an object, found none",
                    "it vanished, or never was there; run the same command again",
                ) from error
            except _BUGS:
                raise
            except Exception as error:  # each service has its own: asked again, then told
                if _is_denied(error) or _is_final(error):
                    raise self._refused(what, error) from error
                if time.monotonic() + pause > until:
                    raise DeviceError(
                        f"{self._shown(what)}: no answer for {PATIENCE:.0f} s: {_first_line(error)}",
                        "run the same command again later; what is finished stays",
                    ) from error
            time.sleep(pause * random.uniform(0.5, 1))  # not all workers at the same moment
            pause = min(2 * pause, LONGEST_PAUSE)

    def _refused(self, what: str, error: Exception) -> DeviceError:
        if _is_denied(error):
            return DeviceError(
                f"{self._shown(what)}: no right to it: {_first_line(error)}",
                "check the credentials that the library finds (for S3 those of the AWS tools)",
            )
        return DeviceError(
            f"{self._shown(what)}: the service refuses: {_first_line(error)}",
            "check the URL, and what the library that reads it needs to know (account, project, endpoint)",
        )


def _changed(known: dict[str, Any]) -> float:
    for key in ("LastModified", "last_modified", "mtime", "updated", "created"):
        value = known.get(key)
        if isinstance(value, datetime):
            return value.timestamp()
        if isinstance(value, int | float):
            return float(value)
        if isinstance(value, str):
            try:
                return datetime.fromisoformat(value).timestamp()
            except ValueError:
                continue
    return 0.0


def _is_denied(error: Exception) -> bool:
    text = _URLS.sub("", f"{type(error).__name__} {error}")
    return (
        isinstance(error, PermissionError)
        or _status(error) in _DENIALS
        or any(sign in text for sign in _DENIED)
    )


def _is_final(error: Exception) -> bool:
    """Whether asking again changes nothing: an answer that says that the question is wrong."""
    status = _status(error)
    return status is not None and 400 <= status < 500 and status not in _LATER


def _status(error: Exception) -> int | None:
    """The answer of HTTP that an error tells of: aiohttp, gcsfs and Azure each have their own word."""
    found = (getattr(error, name, None) for name in ("status", "status_code", "code"))
    return next((status for status in found if isinstance(status, int)), None)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
