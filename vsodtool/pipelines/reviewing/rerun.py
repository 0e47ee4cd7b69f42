"""Making labels again while the page is open: one worker that keeps everything warm."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from vsodtool.errors import VsodtoolError
from vsodtool.types import Event, OnEvent

IDLE, LOOKING, RUNNING = "idle", "looking", "running"


class Stale(Protocol):
    """An interval whose labels are not what its two ends say now."""

    @property
    def video(self) -> str:
        """Name of the video."""
        ...

    @property
    def left(self) -> str:
        """Name of the labelled frame before it, "" if there is none."""
        ...

    @property
    def right(self) -> str:
        """Name of the labelled frame after it, "" if there is none."""
        ...

    @property
    def frames(self) -> int:
        """How many frames would be made again."""
        ...


class Updater(Protocol):
    """What makes labels again; `vsodtool.pipelines.update.Updater`, or what a test puts in its place."""

    def stale(self) -> Sequence[Stale]:
        """The intervals to make again."""
        ...

    def prepare(self) -> None:
        """Load what `run` would load first."""
        ...

    def run(self, on_event: OnEvent) -> object:
        """Make them again."""
        ...

    def close(self) -> None:
        """Give back what was kept warm."""
        ...


@dataclass(frozen=True)
class Progress:
    """What the worker does.

    Attributes:
        state: idle, looking (which intervals are to be made again) or running.
        done: frames that were made so far.
        total: frames to make.
        message: the latest notice.
        error: why the latest run or look failed, "" if it did not.
        hint: what to do about it.
        runs: how many runs ended well.
        stale: the intervals to make again, as far as is known.
    """

    state: str = IDLE
    done: int = 0
    total: int = 0
    message: str = ""
    error: str = ""
    hint: str = ""
    runs: int = 0
    stale: tuple[Stale, ...] = ()


class _ClosedError(Exception):
    """The page is closed while labels are made: raised in their midst, as Ctrl-C would be."""


@dataclass
class _Count:
    """Frames of one video: as its events count them, those that need not be made included."""

    at_start: int = 0
    now: int = 0


@dataclass
class Rerun:
    """Looks for stale intervals and makes them again, one after the other in a thread of its own.

    Attributes:
        make: makes the updater, when it is needed first: it loads the network.
        ended: called after each run that ended well.
    """

    make: Callable[[], Updater]
    ended: Callable[[], None] = lambda: None
    _progress: Progress = field(default_factory=Progress, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _worker: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "rerun"), init=False)
    _updater: Updater | None = field(default=None, init=False)
    _looks: int = field(default=0, init=False)
    _counts: dict[str, _Count] = field(default_factory=dict, init=False)
    _closing: bool = field(default=False, init=False)

    @property
    def progress(self) -> Progress:
        """What it does now."""
        with self._lock:
            return self._progress

    def look_if(self, needed: Callable[[], bool]) -> None:
        """Look which intervals are to be made if this says so, which may take a while itself."""

        def look() -> None:
            with suppress(VsodtoolError):  # is told by the next look
                if needed():
                    self.look()

        self._worker.submit(look)

    def look(self) -> Future[None]:
        """Look again which intervals are to be made, after a mask has changed."""
        with self._lock:
            self._looks += 1
            number = self._looks
            if self._progress.state == IDLE:
                self._progress = replace(self._progress, state=LOOKING)
        return self._worker.submit(self._look, number)

    def start(self) -> bool:
        """Begin to make them; False while that is being done."""
        with self._lock:
            if self._progress.state == RUNNING:
                return False
            self._progress = replace(self._progress, state=RUNNING, message="", error="", hint="")
            self._count_anew()
        self._worker.submit(self._run)
        return True

    def close(self) -> None:
        """End what is being done at its next frame, and give everything back; the next run goes on there."""
        self._closing = True
        self._worker.shutdown(cancel_futures=True)
        if self._updater is not None:
            self._updater.close()

    def _look(self, number: int) -> None:
        with self._lock:
            if number < self._looks:  # another one waits behind this
                return
            if self._progress.state != RUNNING:  # else a run waits behind this
                self._progress = replace(self._progress, state=LOOKING)
        self._change(LOOKING, lambda: {"stale": self._find()})
        if self.progress.stale and not self._closing:
            # While the next stroke is drawn. What is wrong with it is told by the run.
            with suppress(VsodtoolError):
                self._warm().prepare()

    def _run(self) -> None:
        def run() -> dict[str, object]:
            with self._lock:  # it may have been started before a look was over
                self._count_anew()
            self._warm().run(on_event=self._hear)
            self.ended()
            with self._lock:  # told before what is next is known: the page can show the new labels
                self._progress = replace(self._progress, runs=self._progress.runs + 1, stale=())
            # What was saved meanwhile is for the next run.
            return {"stale": self._find()}

        self._change(RUNNING, run)

    def _change(self, state: str, work: Callable[[], dict[str, object]]) -> None:
        """Do something and take over what it says; what was done in this state has an end then."""
        try:
            changes = {"error": "", "hint": "", **work()}
        except VsodtoolError as error:
            changes = {"error": error.message, "hint": error.hint}
        except _ClosedError:
            changes = {}
        except Exception as error:  # noqa: BLE001 - a thread has nobody else to tell it to than the page
            changes = {"error": f"a bug: {error!r}", "hint": "please report it"}
        with self._lock:
            if self._progress.state == state:
                changes["state"] = IDLE
            self._progress = replace(self._progress, **changes)  # type: ignore[arg-type]

    def _count_anew(self) -> None:
        """Nothing is made yet of what is stale; in the lock."""
        self._counts = {}
        total = sum(each.frames for each in self._progress.stale)
        self._progress = replace(self._progress, done=0, total=total)

    def _find(self) -> tuple[Stale, ...]:
        return tuple(self._warm().stale())

    def _warm(self) -> Updater:
        if self._updater is None:
            self._updater = self.make()
        return self._updater

    def _hear(self, event: Event) -> None:
        if self._closing:
            raise _ClosedError
        with self._lock:
            if event.kind == "video":
                self._counts[event.video] = _Count(event.done, event.done)
            elif event.kind == "frame" and event.video in self._counts:
                self._counts[event.video].now = event.done
            elif event.kind in {"notice", "warning"} and event.message:
                self._progress = replace(self._progress, message=event.message)
            done = sum(count.now - count.at_start for count in self._counts.values())
            total = max(self._progress.total, done)
            self._progress = replace(self._progress, done=done, total=total)
