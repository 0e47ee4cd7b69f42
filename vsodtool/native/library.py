"""The library that `build.py` compiled; its functions are in the modules beside this one."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from vsodtool.native.build import LIBRARY, fingerprint


class Library:
    """Its functions. They let other threads run, and keep nothing.

    Args:
        path: of the library.

    Raises:
        OSError: it cannot be loaded.
    """

    def __init__(self, path: Path) -> None:
        loaded = ctypes.CDLL(str(path))
        loaded.vsod_sources.restype = ctypes.c_char_p
        self.sources = loaded.vsod_sources().decode()
        self._loaded = loaded

    def function(
        self, name: str, arguments: Sequence[type[Any]], result: type[Any] | None = None
    ) -> Callable[..., Any]:
        """One of its functions, for the modules beside this one.

        Args:
            name: in the sources.
            arguments: the types of its arguments; pointers to structures take these themselves.
            result: the type of what it returns.
        """
        found = getattr(self._loaded, name)
        if found.argtypes is None:
            found.restype, found.argtypes = result, arguments
        return found  # type: ignore[no-any-return]


@cache
def library() -> Library | None:
    """The library, or None where it was not compiled, or of other sources than these."""
    try:
        found = Library(LIBRARY)
    except OSError:
        return None
    return found if found.sources == fingerprint() else None
