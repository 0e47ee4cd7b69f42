"""Pieces in order, a few intervals at a time, and no new one after a failure."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from vsodtool.pipelines.densify.side_by_side import INTERVALS_AT_ONCE, Workers, intervals_at_once


class Closing:
    """Frames that remember how often they were closed."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def intervals(count: int) -> list[Any]:
    return [SimpleNamespace(number=number, frames=Closing()) for number in range(count)]


@pytest.fixture(params=[True, False], ids=["drivers", "alone"])
def workers(request: pytest.FixtureRequest) -> Iterator[Workers]:
    with ThreadPoolExecutor(2) as pool, ThreadPoolExecutor(INTERVALS_AT_ONCE) as drivers:
        yield Workers(pool, drivers if request.param else None)


def test_results_come_in_order(workers: Workers) -> None:
    assert workers.map(lambda number: number * number, range(20)) == [number**2 for number in range(20)]
    assert not workers.cancelled()


def test_a_failing_piece_is_raised(workers: Workers) -> None:
    with pytest.raises(ZeroDivisionError):
        workers.map(lambda number: 1 // number, [1, 0, 2])


def test_every_interval_is_seen_through_and_its_frames_are_closed(workers: Workers) -> None:
    jobs, seen = intervals(7), set[int]()

    def work(job: Any) -> None:
        assert job.frames.closed == 0
        seen.add(workers.map(lambda piece: piece, [job.number])[0])

    workers.each(jobs, work)
    assert seen == set(range(7))
    assert [job.frames.closed for job in jobs] == [1] * 7


def test_the_next_interval_is_fetched_while_others_are_at_work() -> None:
    """With two at work the third is fetched; the fourth not before one of them has ended."""
    fetched: list[int] = []
    ended: list[int] = []
    third = threading.Event()

    def jobs() -> Iterator[Any]:
        for job in intervals(4):
            assert job.number <= len(ended) + INTERVALS_AT_ONCE
            fetched.append(job.number)
            if job.number == INTERVALS_AT_ONCE:
                third.set()
            yield job

    def work(job: Any) -> None:
        assert third.wait(10)
        ended.append(job.number)

    with ThreadPoolExecutor(1) as pool, ThreadPoolExecutor(INTERVALS_AT_ONCE) as drivers:
        Workers(pool, drivers).each(jobs(), work)
    assert fetched == [0, 1, 2, 3]


def test_what_was_fetched_and_not_begun_is_closed() -> None:
    jobs = intervals(3)
    fetched = threading.Event()

    def work(_: Any) -> None:
        assert fetched.wait(10)
        raise ValueError("at work")

    def give() -> Iterator[Any]:
        yield from jobs[:2]
        fetched.set()
        yield jobs[2]

    with (
        ThreadPoolExecutor(1) as pool,
        ThreadPoolExecutor(INTERVALS_AT_ONCE) as drivers,
        pytest.raises(ValueError, match="at work"),
    ):
        Workers(pool, drivers).each(give(), work)
    assert [job.frames.closed for job in jobs] == [1, 1, 1]


def test_no_interval_is_begun_after_a_failure(workers: Workers) -> None:
    jobs, begun = intervals(20), list[int]()

    def work(job: Any) -> None:
        begun.append(job.number)
        if job.number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        workers.each(jobs, work)
    assert workers.cancelled()
    assert len(begun) <= 3 + INTERVALS_AT_ONCE
    fetched = max(begun) + 2  # the one after them too, perhaps
    assert [job.frames.closed for job in jobs[: fetched - 1]] == [1] * (fetched - 1)
    assert all(job.frames.closed == 0 for job in jobs[fetched:])


def test_those_at_work_end_before_the_failure_is_raised() -> None:
    ended: list[int] = []
    failing = threading.Event()

    def work(job: Any) -> None:
        if job.number == 1:
            failing.set()
            raise ValueError("the second")
        assert failing.wait(10)
        while not workers.cancelled():
            pass
        ended.append(job.number)

    with ThreadPoolExecutor(1) as pool, ThreadPoolExecutor(INTERVALS_AT_ONCE) as drivers:
        workers = Workers(pool, drivers)
        with pytest.raises(ValueError, match="the second"):
            workers.each(iter(intervals(2)), work)
        assert ended == [0]


def test_after_a_failure_the_next_intervals_are_made(workers: Workers) -> None:
    with pytest.raises(ZeroDivisionError):
        workers.each(intervals(2), lambda _: 1 // 0)  # type: ignore[arg-type]
    told: list[bool] = []
    workers.each(intervals(3), lambda _: told.append(workers.cancelled()))
    assert told == [False] * 3


def test_when_a_failure_is_raised_no_piece_is_at_work() -> None:
    begun, ended = threading.Event(), threading.Event()

    def work(number: int) -> None:
        if number == 0:
            assert begun.wait(10)
            raise ZeroDivisionError
        begun.set()
        time.sleep(0.2)
        ended.set()

    with ThreadPoolExecutor(2) as pool:
        with pytest.raises(ZeroDivisionError):
            Workers(pool).map(work, range(2))
        assert ended.is_set()


@pytest.mark.parametrize(("workers", "expected"), [(1, 2), (2, 2), (5, 2), (8, 4), (16, 8)])
def test_many_workers_see_more_intervals_through(workers: int, expected: int) -> None:
    assert intervals_at_once(workers) == expected
