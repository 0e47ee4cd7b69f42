"""Work on many cores with results in order: so many pieces in flight, and no more in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

_AHEAD = 3  # pieces per worker, so that nobody waits while the results are taken in


def map_in_order(
    work: Callable[[Task], Result], tasks: Iterable[Task], workers: int
) -> Iterator[tuple[Task, Result]]:
    """Each task with its result, in the order of the tasks.

    Args:
        work: is called from several threads at once.
        tasks: taken one by one, only as fast as the results are.
        workers: number of threads.

    Raises:
        Exception: whatever `work` raises; tasks not yet begun are dropped then.
    """
    waiting: deque[tuple[Task, Future[Result]]] = deque()
    with ThreadPoolExecutor(workers, "score") as pool:
        try:
            for task in tasks:
                waiting.append((task, pool.submit(work, task)))
                if len(waiting) >= _AHEAD * workers:
                    done, future = waiting.popleft()
                    yield done, future.result()
            while waiting:
                done, future = waiting.popleft()
                yield done, future.result()
        finally:
            for _, future in waiting:
                future.cancel()
