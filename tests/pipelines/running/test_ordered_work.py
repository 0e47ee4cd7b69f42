from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from vsodtool.errors import DataError, DeviceError
from vsodtool.media.folders import list_folder
from vsodtool.pipelines.running.ordered_work import map_in_order


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_the_order_of_the_tasks(workers: int) -> None:
    def slow_first(number: int) -> int:
        time.sleep(0.02 if number == 0 else 0)
        return number * number

    assert list(map_in_order(slow_first, range(20), workers)) == [(n, n * n) for n in range(20)]


def test_tasks_are_taken_only_as_fast_as_results_are() -> None:
    taken = 0

    def tasks() -> Iterator[int]:
        nonlocal taken
        for number in range(1000):
            taken += 1
            yield number

    results = map_in_order(lambda number: number, tasks(), 2)
    for expected in range(100):
        assert next(results) == (expected, expected)
        assert taken <= expected + 1 + 3 * 2
    results.close()  # type: ignore[attr-defined]
    assert taken < 120


def test_an_error_ends_it_and_the_rest_is_not_begun() -> None:
    begun: list[int] = []
    lock = threading.Lock()

    def work(number: int) -> int:
        with lock:
            begun.append(number)
        if number == 2:
            raise ValueError(number)
        return number

    with pytest.raises(ValueError, match="2"):
        list(map_in_order(work, range(1000), 2))
    assert len(begun) < 20


def test_processes_give_the_same_and_pass_errors_on() -> None:
    assert list(map_in_order(abs, [-1, 2, -3], 2, processes=True)) == [(-1, 1), (2, 2), (-3, 3)]
    with pytest.raises(DataError) as caught:
        list(map_in_order(list_folder, [Path("nowhere")], 1, processes=True))
    assert "cannot read the folder nowhere" in caught.value.message
    assert caught.value.hint == "check the path and its permissions"


def test_a_killed_process_is_told() -> None:
    with pytest.raises(DeviceError, match="a worker process was killed") as caught:
        list(map_in_order(os._exit, [1], 1, processes=True))
    assert "--workers" in caught.value.hint


def test_no_tasks_no_results() -> None:
    assert list(map_in_order(lambda task: task, [], 2)) == []
