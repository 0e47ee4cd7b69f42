"""Ctrl-C and SIGTERM while training."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from vsodtool.pipelines.training.interrupt import StopRequest, ignore_in_worker, stop_requests


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_the_first_asks_and_the_second_interrupts(kind: signal.Signals) -> None:
    before = signal.getsignal(kind)
    with stop_requests() as request:
        assert not request.asked
        os.kill(os.getpid(), kind)
        assert request.asked
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), kind)
    assert signal.getsignal(kind) is before


def test_outside_of_the_main_thread_nothing_changes() -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen: list[StopRequest] = []

    def work() -> None:
        with stop_requests() as request:
            assert signal.getsignal(signal.SIGTERM) is before
            seen.append(request)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not seen[0].asked


def test_processes_that_read_leave_the_decision_to_the_one_that_trains() -> None:
    kinds = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(kind) for kind in kinds]
    try:
        ignore_in_worker()
        for kind in kinds:
            os.kill(os.getpid(), kind)
            assert signal.getsignal(kind) is signal.SIG_IGN
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)
