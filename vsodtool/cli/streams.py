"""The standard streams as they may be: closed, a pipe whose reader has gone, a full disk.

Here and nowhere else: a reader of stdout that goes has all it wanted, which is success; stderr is for people,
and where none can read it the work goes on. Whatever else meets stdout is a failure. A broken pipe that shows
up above these streams is therefore another one, between processes.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from _typeshed import ReadableBuffer

STDOUT = "stdout"


def open_streams() -> None:
    """Make sys.stdin, sys.stdout and sys.stderr streams that can be used, whatever this process was given."""
    for number, name, mode in ((0, "stdin", "r"), (1, STDOUT, "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            _open_nowhere(number)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    sys.stdout = _through(sys.stdout, _Stdout)
    sys.stderr = _through(sys.stderr, _Stderr)


def drop(descriptor: int) -> None:
    """Send what is and will be written there nowhere, else Python complains at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def write_raw(text: str) -> None:
    """Write to stderr where Python's own streams may not be usable."""
    with contextlib.suppress(OSError):
        os.write(2, text.encode())


def _open_nowhere(number: int) -> None:
    """Give `>&-` and its like somewhere to go; else the next file that is opened would be written to."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) < number:
        pass
    os.dup2(descriptor, number)


def _through(stream: TextIO, kind: type[io.FileIO]) -> TextIO:
    """The same stream, writing through another kind of file; as it is where it is none (Windows' console)."""
    buffer = getattr(stream, "buffer", None)
    if not isinstance(stream, io.TextIOWrapper) or not isinstance(getattr(buffer, "raw", buffer), io.FileIO):
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(kind(stream.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


class _Stdout(io.FileIO):
    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            drop(self.fileno())
            return super().write(data)
        except OSError as error:
            raise OSError(error.errno, error.strerror, STDOUT) from error


class _Stderr(io.FileIO):
    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError:
            drop(self.fileno())
            return super().write(data)
