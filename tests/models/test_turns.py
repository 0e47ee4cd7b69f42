from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from vsodtool.models.turns import Turns


@pytest.mark.parametrize(("device", "threads"), [("cpu", 3), ("cuda", 1)])
def test_elsewhere_than_on_cpus_one_thread_computes_for_all(device: str, threads: int) -> None:
    turns, together = Turns(torch.device(device)), threading.Barrier(3)

    def ask(number: int) -> tuple[int, int]:
        together.wait()
        return turns.call(lambda: (number, threading.get_ident()))

    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(ask, range(3)))
    assert [number for number, _ in found] == [0, 1, 2]
    assert len({thread for _, thread in found}) == threads


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_failure_reaches_who_asked(device: str) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    turns = Turns(torch.device(device))
    with pytest.raises(ZeroDivisionError):
        turns.call(fail)
    assert turns.call(max, 1, 2) == 2
