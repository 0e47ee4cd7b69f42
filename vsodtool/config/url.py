"""Names that are URLs: those with `://` after a scheme at their start. Everything else is a path."""

from __future__ import annotations

import re
import sys
from pathlib import Path

if sys.platform == "win32":
    from pathlib import WindowsPath as _Native
else:
    from pathlib import PosixPath as _Native

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def is_url(value: object) -> bool:
    """Whether a text, or a path made of one by `to_path`, is a URL."""
    return isinstance(value, UrlPath) or (isinstance(value, str) and _URL.match(value) is not None)


class UrlPath(_Native):
    """A URL where a path may stand; `str` of it is the URL. It is replaced before anything is opened."""

    def __init__(self, text: str) -> None:
        if sys.version_info >= (3, 12):
            super().__init__(text)
        self.url = text

    def __str__(self) -> str:
        return self.url if hasattr(self, "url") else super().__str__()

    def __reduce__(self) -> tuple[type[UrlPath], tuple[str]]:
        return UrlPath, (str(self),)


def to_path(text: str) -> Path:
    """The path that a text stands for, or the URL."""
    return UrlPath(text) if is_url(text) else Path(text)
