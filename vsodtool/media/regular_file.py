"""Reading files that are files: named pipes, devices and sockets would block a reader, or never end.

Whoever hands a path to a library (PyAV, safetensors) calls `checks.check_regular` itself first.
"""

from __future__ import annotations

from io import BufferedReader
from pathlib import Path

from vsodtool.checks import check_regular


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading bytes.

    Raises:
        OSError: it is no regular file, missing, or may not be read.
    """
    check_regular(path)
    return path.open("rb")


def read_regular(path: Path) -> bytes:
    """All bytes of a file.

    Raises:
        OSError: it is no regular file, missing, or may not be read.
    """
    with open_regular(path) as file:
        return file.read()
