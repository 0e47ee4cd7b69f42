"""Ctrl-C and SIGTERM while training: the step is finished and saved first."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_KINDS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Whether somebody asked this process to stop."""

    def __init__(self) -> None:
        self.asked = False


@contextmanager
def stop_requests(tell: Callable[[], None] = lambda: None) -> Iterator[StopRequest]:
    """Turn the first SIGINT or SIGTERM into a request; a second one interrupts at once, as usual.

    Outside the main thread signals cannot be caught, and nothing changes.

    Args:
        tell: called at the first one, from a thread of its own: the main one may be deep in a step.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {kind: signal.getsignal(kind) for kind in _KINDS}

    def ask(number: int, frame: FrameType | None) -> None:
        del number, frame
        if request.asked:
            raise KeyboardInterrupt
        request.asked = True

    with _heard_at_once(tell):
        for kind in _KINDS:
            signal.signal(kind, ask)
        try:
            yield request
        finally:
            for kind, handler in before.items():
                signal.signal(kind, handler)


@contextmanager
def _heard_at_once(tell: Callable[[], None]) -> Iterator[None]:
    """Call `tell` when the first signal arrives. Python's own handlers wait for what is running in C."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def listen() -> None:
        while numbers := os.read(reader, 64):
            if any(kind in numbers for kind in _KINDS):
                with suppress(OSError):  # nobody reads it any more
                    tell()
                return

    listener = threading.Thread(target=listen, name="stop", daemon=True)
    listener.start()
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(writer)
        listener.join()
        os.close(reader)


def ignore_in_worker() -> None:
    """For processes that read data: the main process decides when to stop, and takes them with it."""
    for kind in _KINDS:
        signal.signal(kind, signal.SIG_IGN)
