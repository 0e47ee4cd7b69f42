"""Work done side by side: pieces of an interval, and a few intervals at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from typing import TypeVar

Job = TypeVar("Job")
Item = TypeVar("Item")
Result = TypeVar("Result")


INTERVALS_AT_ONCE = 2  # the second one fills the gaps that the first leaves


class Workers:
    """Runs independent pieces of work side by side; a failure in one is raised to the caller."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def map(self, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """`work` of every item, in order. Must not be called from inside another piece of work."""
        futures = [self._executor.submit(work, item) for item in items]
        try:
            return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()


def work_side_by_side(
    jobs: Iterator[Job], work: Callable[[Job], None], drivers: ThreadPoolExecutor, failed: threading.Event
) -> None:
    """Do `work` for every job, INTERVALS_AT_ONCE at a time; a job is fetched when there is room for it.

    Args:
        jobs: fetched in this thread.
        work: called in a thread of `drivers`.
        drivers: has INTERVALS_AT_ONCE threads.
        failed: set after a failure, or Ctrl-C, before this waits for what is still at work and raises it.
    """
    running: set[Future[None]] = set()
    try:
        for job in jobs:
            running.add(drivers.submit(work, job))
            if len(running) >= INTERVALS_AT_ONCE:
                running = _wait(running)
        while running:
            running = _wait(running)
    except BaseException:
        failed.set()
        wait(running)
        raise


def _wait(running: set[Future[None]]) -> set[Future[None]]:
    finished, rest = wait(running, return_when=FIRST_COMPLETED)
    for future in finished:
        future.result()
    return rest
