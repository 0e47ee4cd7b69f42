"""Threads that fill intervals: pieces of an interval side by side, and a few intervals at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from typing import TypeVar

from vsodtool.pipelines.densify.interval import Interval

Item = TypeVar("Item")
Result = TypeVar("Result")

INTERVALS_AT_ONCE = 2  # the second one fills the gaps that the first leaves
_WORKERS_EACH = 2  # that one interval keeps busy: it waits for its slowest frame again and again


def intervals_at_once(workers: int) -> int:
    """How many intervals keep so many workers busy."""
    return max(INTERVALS_AT_ONCE, workers // _WORKERS_EACH)


class Workers:
    """Does independent pieces of work; after a failure, or Ctrl-C, what is at work is to come to an end.

    `each` is called by one thread at a time.

    Args:
        executor: for the heavy pieces.
        drivers: threads that each see one interval through; None: the caller's own.
        at_once: how many these are.
    """

    def __init__(
        self, executor: Executor, drivers: Executor | None = None, at_once: int = INTERVALS_AT_ONCE
    ) -> None:
        self._executor, self._drivers, self._at_once = executor, drivers, at_once
        self._failed = threading.Event()

    def cancelled(self) -> bool:
        """Asked now and then by long work; once it says yes, the rest is left undone."""
        return self._failed.is_set()

    def map(self, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """`work` of every item, in order; a failure in one is raised. Not from inside a piece of work.

        When it returns, or raises, none of them is at work any more.
        """
        futures = [self._executor.submit(work, item) for item in items]
        try:
            return [future.result() for future in futures]
        finally:
            wait([future for future in futures if not future.cancel()])

    def each(self, intervals: Iterable[Interval], work: Callable[[Interval], None]) -> None:
        """Do `work` for every interval and close its frames; with drivers `at_once` at a time.

        The next one is fetched in this thread while these are at work. After a failure no new one is begun,
        and the failure is raised when those at work have come to an end. What failed before concerns these no
        more: workers outlive a run in the page, and a refused video on a cluster.
        """
        self._failed.clear()

        def see_through(interval: Interval) -> None:
            try:
                work(interval)
            finally:
                interval.frames.close()

        running: set[Future[None]] = set()
        try:
            for interval in intervals:
                if self._drivers is None:
                    see_through(interval)
                    continue
                try:
                    while len(running) >= self._at_once:
                        running = _wait(running)
                except BaseException:
                    interval.frames.close()
                    raise
                running.add(self._drivers.submit(see_through, interval))
            while running:
                running = _wait(running)
        except BaseException:
            self._failed.set()
            wait(running)
            raise


def _wait(running: set[Future[None]]) -> set[Future[None]]:
    finished, rest = wait(running, return_when=FIRST_COMPLETED)
    for future in finished:
        future.result()
    return rest
