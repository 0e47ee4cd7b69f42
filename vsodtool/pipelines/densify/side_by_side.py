"""A few intervals worked on at a time, and no new one begun after a failure."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

Job = TypeVar("Job")

INTERVALS_AT_ONCE = 2  # the second one fills the gaps that the first leaves


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
