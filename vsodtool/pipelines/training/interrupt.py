"""Ctrl-C and SIGTERM while training: the step is finished and saved first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequest:
    """Whether somebody asked this process to stop."""

    def __init__(self) -> None:
        self.asked = False


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Turn the first SIGINT or SIGTERM into a request; a second one interrupts at once, as usual.

    Outside the main thread signals cannot be caught, and nothing changes.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    kinds = (signal.SIGINT, signal.SIGTERM)
    before = {kind: signal.getsignal(kind) for kind in kinds}

    def ask(number: int, frame: FrameType | None) -> None:
        del number, frame
        if request.asked:
            raise KeyboardInterrupt
        request.asked = True

    for kind in kinds:
        signal.signal(kind, ask)
    try:
        yield request
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def ignore_in_worker() -> None:
    """For processes that read data: the main process decides when to stop, and takes them with it."""
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, signal.SIG_IGN)
