"""The worker that makes labels again while the page is open."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from tests.pipelines.reviewing.conftest import Client, Connect, MakeOut
from vsodtool.errors import DataError
from vsodtool.media.output.lock import OutputLock
from vsodtool.pipelines.reviewing.rerun import Rerun
from vsodtool.types import Event, OnEvent


@dataclass(frozen=True)
class Interval:
    video: str = "clip"
    left: str = "00000"
    right: str = "00004"
    frames: int = 3


@dataclass
class FakeUpdater:
    """Makes three frames when it is let, if anything is stale."""

    intervals: list[Interval] = field(default_factory=lambda: [Interval()])
    error: Exception | None = None
    go: threading.Event = field(default_factory=threading.Event)
    threads: set[str] = field(default_factory=set)
    closed: bool = False
    prepared: int = 0
    runs: int = 0
    lock: Callable[[], OutputLock] | None = None

    def stale(self) -> list[Interval]:
        self.threads.add(threading.current_thread().name)
        return list(self.intervals)

    def prepare(self) -> None:
        self.threads.add(threading.current_thread().name)
        self.prepared += 1
        if self.error is not None:
            raise self.error

    def run(self, on_event: OnEvent) -> None:
        self.threads.add(threading.current_thread().name)
        lock = self.lock() if self.lock is not None else None
        try:
            if self.error is not None:
                raise self.error
            on_event(Event("video", "clip", done=6, total=9))
            on_event(Event("notice", message="method: warp"))
            for done in (7, 8):
                on_event(Event("frame", "clip", done=done, total=9))
            assert self.go.wait(30)
            on_event(Event("frame", "clip", done=9, total=9))
            self.intervals = []
            self.runs += 1
        finally:
            if lock is not None:
                lock.release()

    def close(self) -> None:
        self.closed = True


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture
def updater() -> FakeUpdater:
    return FakeUpdater()


def test_nothing_is_loaded_before_it_is_needed(updater: FakeUpdater) -> None:
    made: list[FakeUpdater] = []
    rerun = Rerun(lambda: made.append(updater) or updater)  # type: ignore[func-returns-value]
    assert rerun.progress.state == "idle"
    rerun.close()
    assert made == []


def test_it_looks_and_runs_in_one_thread_of_its_own(updater: FakeUpdater) -> None:
    ended = []
    rerun = Rerun(lambda: updater, lambda: ended.append(1))
    rerun.look().result()
    assert rerun.progress.stale == (Interval(),)
    assert rerun.start()
    until(lambda: rerun.progress.done == 2)
    assert (rerun.progress.state, rerun.progress.total, rerun.progress.message) == (
        "running",
        3,
        "method: warp",
    )
    assert not rerun.start()
    updater.go.set()
    until(lambda: rerun.progress.state == "idle")
    assert (rerun.progress.stale, rerun.progress.runs, ended) == ((), 1, [1])
    rerun.close()
    assert updater.closed
    assert len(updater.threads) == 1
    assert threading.current_thread().name not in updater.threads


def test_networks_are_loaded_once_something_is_stale(updater: FakeUpdater) -> None:
    rerun = Rerun(lambda: updater)
    intervals, updater.intervals = updater.intervals, []
    rerun.look().result()
    assert updater.prepared == 0
    updater.intervals = intervals
    rerun.look().result()
    assert (updater.prepared, updater.runs) == (1, 0)
    rerun.close()


def test_what_cannot_be_loaded_is_told_by_the_run(updater: FakeUpdater) -> None:
    updater.error = DataError("the weights are cut", "fetch them again")
    rerun = Rerun(lambda: updater)
    rerun.look().result()
    assert (rerun.progress.state, rerun.progress.error) == ("idle", "")
    rerun.start()
    until(lambda: rerun.progress.state == "idle")
    assert (rerun.progress.error, rerun.progress.hint) == ("the weights are cut", "fetch them again")
    rerun.close()


def test_errors_are_told_and_the_next_run_is_possible(updater: FakeUpdater) -> None:
    updater.error = DataError("a mask is cut", "replace it")
    rerun = Rerun(lambda: updater)
    rerun.look().result()
    rerun.start()
    until(lambda: rerun.progress.state == "idle")
    assert (rerun.progress.error, rerun.progress.hint) == ("a mask is cut", "replace it")
    assert rerun.progress.stale == (Interval(),)
    updater.error = ZeroDivisionError("by zero")
    rerun.start()
    until(lambda: rerun.progress.state == "idle")
    assert rerun.progress.error == "a bug: ZeroDivisionError('by zero')"
    updater.error = None
    updater.go.set()
    rerun.start()
    until(lambda: rerun.progress.runs == 1)
    assert rerun.progress.error == ""
    rerun.close()


def test_who_starts_it_while_it_looks_gets_all_that_is_found() -> None:
    known = threading.Event()

    class Slow(FakeUpdater):
        def stale(self) -> list[Interval]:
            assert known.wait(30)
            return super().stale()

    slow = Slow()
    rerun = Rerun(lambda: slow)
    looked = rerun.look()
    assert rerun.progress.state == "looking"
    assert rerun.start()
    assert (rerun.progress.state, rerun.progress.total) == ("running", 0)
    known.set()
    looked.result()
    until(lambda: rerun.progress.done == 2)
    assert (rerun.progress.state, rerun.progress.total) == ("running", 3)
    slow.go.set()
    until(lambda: rerun.progress.state == "idle")
    assert (slow.runs, rerun.progress.stale, rerun.progress.runs) == (1, (), 1)
    rerun.close()


def test_many_looks_at_once_are_one(updater: FakeUpdater) -> None:
    looks: list[int] = []
    first = threading.Event()

    def stale() -> list[Interval]:
        looks.append(1)
        first.wait(30)
        return []

    updater.stale = stale  # type: ignore[method-assign]
    rerun = Rerun(lambda: updater)
    waiting = [rerun.look()]
    until(lambda: len(looks) == 1)
    waiting += [rerun.look() for _ in range(20)]
    first.set()
    for each in waiting:
        each.result()
    assert len(looks) == 2
    rerun.close()


def save(client: Client, frame: int) -> int:
    ids, etag = client.mask(frame)
    return int(client.put_mask(1 - ids, etag, f"/api/v/0/mask/{frame}").status_code)


def test_a_saved_mask_makes_its_intervals_stale_and_the_button_makes_them_again(
    make_out: MakeOut, connect: Connect, updater: FakeUpdater
) -> None:
    client = connect(make_out(), updater=lambda: updater)
    assert client.get("/api/progress").json()["stale"] == []
    assert save(client, 1) == 200
    until(lambda: client.get("/api/progress").json()["stale"] == [["clip", "00000", "00004", 3]])
    before = client.get("/api/progress").json()["revision"]
    assert client.write("POST", "/api/rerun", json={}).status_code == 202
    assert client.write("POST", "/api/rerun", json={}).status_code == 409
    updater.go.set()
    until(lambda: client.get("/api/progress").json()["rerun"].get("runs") == 1)
    after = client.get("/api/progress").json()
    assert after["revision"] != before
    assert after["stale"] == []


def test_while_labels_are_made_here_masks_are_saved_for_the_next_run(
    make_out: MakeOut, connect: Connect, updater: FakeUpdater
) -> None:
    out = make_out()
    updater.lock = lambda: OutputLock(out.layout.lock)
    client = connect(out, updater=lambda: updater)
    assert save(client, 1) == 200
    client.write("POST", "/api/rerun", json={})
    until(lambda: client.get("/api/progress").json()["rerun"]["done"] == 2)
    assert client.get("/api/progress").json()["readOnly"] == ""
    assert save(client, 2) == 200
    updater.go.set()
    until(lambda: client.get("/api/progress").json()["rerun"]["runs"] == 1)
    np.testing.assert_array_equal(client.mask(2)[0], 1 - out.ids[2])


def test_corrections_from_before_are_looked_at_when_the_page_opens(
    make_out: MakeOut, connect: Connect, updater: FakeUpdater
) -> None:
    out = make_out()
    out.correction(1).parent.mkdir(parents=True)
    out.correction(1).write_bytes(out.layout.masks("clip", "00001").read_bytes())
    client = connect(out, updater=lambda: updater)
    until(lambda: len(client.get("/api/progress").json()["stale"]) == 1)


def test_masks_edited_by_another_program_are_looked_at_when_the_page_opens(
    make_out: MakeOut, connect: Connect, updater: FakeUpdater, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = make_out()
    edits: list[Path] = []
    monkeypatch.setattr("vsodtool.pipelines.reviewing.session.find_edits", lambda layout: edits)
    client = connect(out, updater=lambda: updater)
    client.session.rerun.look_if(lambda: False)  # type: ignore[union-attr]
    assert client.get("/api/progress").json()["stale"] == []
    edits.append(out.layout.masks("clip", "00001"))
    client = connect(out, updater=lambda: updater)
    until(lambda: len(client.get("/api/progress").json()["stale"]) == 1)


def test_who_asks_hears_of_masks_that_were_edited_since(
    make_out: MakeOut, connect: Connect, updater: FakeUpdater
) -> None:
    found, updater.intervals = updater.intervals, []
    client = connect(make_out(), updater=lambda: updater)
    before = client.get("/api/progress").json()["revision"]
    answer = client.write("POST", "/api/look", json={}).json()
    assert (answer["stale"], answer["revision"]) == ([], before)
    updater.intervals = found
    answer = client.write("POST", "/api/look", json={}).json()
    assert answer["stale"] == [["clip", "00000", "00004", 3]]
    assert answer["before"] != before  # all is read anew, as masks are others now
    assert client.get("/api/progress").json()["revision"] != before


def test_closing_ends_what_is_being_made(updater: FakeUpdater) -> None:
    def run(on_event: OnEvent) -> None:
        on_event(Event("video", "clip", done=0, total=9))
        end = time.monotonic() + 30
        while time.monotonic() < end:
            on_event(Event("frame", "clip", done=1, total=9))
            time.sleep(0.002)
        raise AssertionError("nobody ended it")

    updater.run = run  # type: ignore[method-assign]
    rerun = Rerun(lambda: updater)
    rerun.look().result()
    rerun.start()
    until(lambda: rerun.progress.done == 1)
    rerun.close()
    assert updater.closed
    assert (rerun.progress.state, rerun.progress.error, rerun.progress.runs) == ("idle", "", 0)
