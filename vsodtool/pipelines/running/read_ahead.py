"""Frames decoded in a thread of their own, a few ahead of whoever uses them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class _End:
    error: BaseException | None = None


class _Reader(Generic[T]):
    """The thread and the queue that it fills."""

    def __init__(self, items: Iterable[T], ahead: int) -> None:
        self._items = items
        self._queue: queue.Queue[T | _End] = queue.Queue(ahead)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, name="read", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        while True:
            item = self._queue.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item

    def stop(self) -> None:
        self._stopped.set()
        while self._thread.is_alive():  # it may be waiting for room
            try:
                self._queue.get(timeout=0.02)
            except queue.Empty:
                continue

    def _read(self) -> None:
        end = _End()
        try:
            for item in self._items:
                self._queue.put(item)
                if self._stopped.is_set():
                    return
        except BaseException as error:  # noqa: BLE001  raised again where the items are used
            end = _End(error)
        self._queue.put(end)


@contextmanager
def read_ahead(items: Iterable[T], ahead: int) -> Iterator[Iterator[T]]:
    """Go through `items` in another thread, at most `ahead` of them before their user.

    An exception there comes up where the items are used. At the end of the block the thread has ended.
    """
    reader = _Reader(items, ahead)
    try:
        yield iter(reader)
    finally:
        reader.stop()
