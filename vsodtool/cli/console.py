"""stderr: what a pipeline tells while it works; progress bars where a person watches."""

from __future__ import annotations

import os
import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING

from vsodtool.cli.text import printable
from vsodtool.pipelines.running.ranks import Rank

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from vsodtool.types import Event


_SOON, _LITTLE = 1.0, 0.01  # seconds, and share of the work, from which a time left can be told


class Reporter:
    """A listener for pipelines; may be called from several threads. Use it in a `with` block."""

    def __init__(self, *, quiet: bool = False) -> None:
        """Bars are drawn only if stderr is a terminal that can move its cursor.

        Args:
            quiet: no progress and no notices; warnings and the address of a page stay.
        """
        self._quiet = quiet
        rank = Rank.from_environment()
        self._follows = rank is not None and rank.number > 0  # rank 0 says what is common to all
        self._lock = threading.Lock()
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._begun: dict[str, tuple[float, float]] = {}  # when, and how much of the work was done then
        if not quiet and not self._follows and sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
            self._bars = _make_bars()

    def __enter__(self) -> Reporter:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        with self._lock:
            if self._bars is not None and event.kind in {"video", "frame", "done"}:
                self._advance(self._bars, event)
            if event.kind in {"notice", "warning", "done", "address"} and event.message:
                self._say(event)

    def _say(self, event: Event) -> None:
        if self._quiet and event.kind not in {"warning", "address"}:
            return
        if self._follows and event.kind == "notice" and not event.video:
            return
        # A message may begin with the name of its video already.
        named = event.video and not event.message.startswith(event.video)
        line = printable(f"{event.video}: {event.message}" if named else event.message)
        if event.kind == "warning":
            line = f"warning: {line}"
        if self._bars is not None:
            self._bars.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            write_err(f"{line}\n")

    def _advance(self, bars: Progress, event: Event) -> None:
        task = self._tasks.get(event.video)
        if task is None:
            whole = 1.0 if event.total else None
            task = bars.add_task(printable(event.video), total=whole, frames="", left="")
            self._tasks[event.video] = task
            self._begun[event.video] = (time.monotonic(), _share(event))
        if event.total:
            name = printable(f"{event.video}: {event.message}" if event.message else event.video)
            left = self._time_left(event) if event.kind != "done" else ""
            counted = f"{event.done}/{event.total}"
            bars.update(task, completed=_share(event), total=1.0, description=name, frames=counted, left=left)
        if event.kind == "done":  # a line takes its place: a bar for each of many videos fills the screen
            bars.remove_task(self._tasks.pop(event.video))

    def _time_left(self, event: Event) -> str:
        """By the mean speed since the first piece of work on the video: that of the latest frames wanders."""
        then, before = self._begun[event.video]
        if _share(event) <= before:  # finding cuts, loading networks: no piece of the work that is counted
            self._begun[event.video] = (time.monotonic(), before)
        passed, gained = time.monotonic() - then, _share(event) - before
        if passed < _SOON or gained < _LITTLE:
            return "-:--:--"
        left = round(passed * (1 - _share(event)) / gained)
        return f"{left // 3600}:{left // 60 % 60:02d}:{left % 60:02d}"


def _share(event: Event) -> float:
    """What is done of the work, in [0, 1]."""
    return event.done / max(1, event.total) if event.share is None else event.share


def write_err(text: str) -> None:
    """Write to stderr, now."""
    sys.stderr.write(text)
    sys.stderr.flush()


def _make_bars() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[frames]}", style="progress.download", markup=False),
        TextColumn("{task.fields[left]}", style="progress.remaining", markup=False),
        console=Console(file=sys.stderr),  # honours NO_COLOR by itself
        redirect_stdout=False,
        redirect_stderr=False,
    )
