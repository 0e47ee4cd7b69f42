from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from vsodtool.pipelines.running.read_ahead import read_ahead


def test_all_items_come_in_order_from_another_thread() -> None:
    threads: set[int] = set()

    def items() -> Iterator[int]:
        for number in range(100):
            threads.add(threading.get_ident())
            yield number

    with read_ahead(items(), 3) as ahead:
        assert list(ahead) == list(range(100))
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_no_more_than_so_many_are_made_before_they_are_used() -> None:
    made: list[int] = []
    full = threading.Event()

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            if len(made) == 5:  # one used, three in the queue, one in the hand
                full.set()
            yield number

    with read_ahead(items(), 3) as ahead:
        assert next(ahead) == 0
        assert full.wait(10)
        assert len(made) == 5


def test_an_exception_comes_up_where_the_items_are_used() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    used = []

    def use() -> None:
        with read_ahead(items(), 3) as ahead:
            used.extend(iter(ahead))

    with pytest.raises(OSError, match="gone"):
        use()


@pytest.mark.parametrize("ahead", [1, 8])
def test_leaving_early_ends_the_thread(ahead: int) -> None:
    before = threading.active_count()
    with read_ahead(range(1000), ahead) as items:
        assert next(items) == 0
    assert threading.active_count() == before
