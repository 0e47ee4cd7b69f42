"""Ctrl-C and SIGTERM while training."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

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


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_the_first_is_told_at_once_and_once(kind: signal.Signals) -> None:
    told = threading.Event()
    count = 0

    def tell() -> None:
        nonlocal count
        count += 1
        told.set()

    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    with stop_requests(tell):
        sender = threading.Thread(target=os.kill, args=(os.getpid(), kind))
        sender.start()
        assert told.wait(60)
        sender.join()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), kind)
    assert count == 1
    assert signal.set_wakeup_fd(-1) == -1
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


def test_nobody_is_told_of_other_signals() -> None:
    told: list[str] = []
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        with stop_requests(lambda: told.append("stop")):
            os.kill(os.getpid(), signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert told == []


def test_that_nobody_reads_what_is_told_is_no_error() -> None:
    def tell() -> None:
        raise BrokenPipeError

    with stop_requests(tell) as request:
        os.kill(os.getpid(), signal.SIGTERM)
        assert request.asked


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
