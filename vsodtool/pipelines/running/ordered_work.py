"""Work on many cores with results in order: so many pieces in flight, and no more in memory."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from vsodtool.errors import DeviceError
from vsodtool.pipelines.running.process import keep_freed_memory

Task = TypeVar("Task")
Result = TypeVar("Result")

_AHEAD = 3  # pieces per worker, so that nobody waits while the results are taken in
_MOST_PROCESSES = 61  # what Windows can wait for at a time


def map_in_order(
    work: Callable[[Task], Result], tasks: Iterable[Task], workers: int, *, processes: bool = False
) -> Iterator[tuple[Task, Result]]:
    """Each task with its result, in the order of the tasks.

    Threads start at once and ask nothing of the caller, but NumPy's many small steps keep them waiting for
    one another. Processes use all cores and cost half a second at the start. They are spawned and not forked,
    on every system, since the caller may have threads; so its main module must be one that can be imported
    (`if __name__ == "__main__":`), and `work`, tasks and results must be picklable.

    Args:
        work: is called from several threads or processes at once.
        tasks: taken one by one, only as fast as the results are.
        workers: number of threads or processes.
        processes: which of the two.

    Raises:
        DeviceError: a process was killed, which is what happens where memory runs out.
        Exception: whatever `work` raises; tasks not yet begun are dropped then.
    """
    waiting: deque[tuple[Task, Future[Result]]] = deque()
    with _pool(workers, processes) as pool:
        try:
            for task in tasks:
                waiting.append((task, pool.submit(work, task)))
                if len(waiting) >= _AHEAD * workers:
                    done, future = waiting.popleft()
                    yield done, future.result()
            while waiting:
                done, future = waiting.popleft()
                yield done, future.result()
        except BrokenProcessPool as error:
            raise DeviceError(
                "a worker process was killed, perhaps because memory ran out", "use fewer --workers"
            ) from error
        finally:
            for _, future in waiting:
                future.cancel()


def _pool(workers: int, processes: bool) -> Executor:
    if not processes:
        keep_freed_memory()
        return ThreadPoolExecutor(workers, "score")
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(min(workers, _MOST_PROCESSES), context, _begin)


def _begin() -> None:
    """What a process does first: leave Ctrl-C to its parent, and make sure to end when the parent does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_freed_memory()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
