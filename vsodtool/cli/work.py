"""The start of a command's work: what it needs is checked and loaded.

Checked in advance, as libraries written in C end the whole process where memory or the working folder lack.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from vsodtool.cli import interrupt
from vsodtool.cli.streams import drop
from vsodtool.errors import DeviceError

_KIBI = 1024


@contextmanager
def at_work(needed: str) -> Iterator[None]:
    """Around what a command does once its options are right; in it Ctrl-C raises KeyboardInterrupt.

    Args:
        needed: the module that does the work; it is loaded, with all that it imports.

    Raises:
        DeviceError: the working folder is gone, or `ulimit -v` leaves too little for loading the module.
    """
    check_working_folder()
    limit = _limit_of_addresses()
    if limit is not None and not _can_load(needed):
        raise DeviceError(
            f"out of memory: the limit of this shell (`ulimit -v`, {limit // _KIBI} KiB) is too small for "
            "loading the libraries",
            "raise it, or lift it with `ulimit -v unlimited`",
        )
    _load(needed)
    with interrupt.Raised():
        yield


def _load(module: str) -> None:
    """Import a module without looking for garbage meanwhile.

    Of the 200,000 objects that come nearly all stay: going through them again and again took a quarter of a
    second. (Not `gc.freeze()`: what is never looked at again is a leak to libraries that count at the end.)
    """
    if module in sys.modules or not gc.isenabled():
        importlib.import_module(module)
        return
    gc.disable()
    try:
        importlib.import_module(module)
    finally:
        gc.enable()


def check_working_folder() -> None:
    """Refuse a working folder that somebody deleted.

    Raises:
        DeviceError: it is gone.
    """
    try:
        os.getcwd()  # noqa: PTH109  Path.cwd() is the same and imports more
    except FileNotFoundError as error:
        raise DeviceError(
            "the working folder is gone", "change to a folder that exists, and run it there"
        ) from error


def _limit_of_addresses() -> int | None:
    """`ulimit -v` in bytes; None if there is none, as on most machines."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if limit == resource.RLIM_INFINITY else limit


def _can_load(module: str) -> bool:
    """Try it in a copy of this process, which may then end as it likes."""
    if module in sys.modules:
        return True
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            drop(1)
            drop(2)
            importlib.import_module(module)
        except BaseException:  # noqa: BLE001  the only thing to say is that it failed
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0
