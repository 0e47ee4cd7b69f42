"""stderr: what a pipeline tells while it works; progress bars where a person watches."""

from __future__ import annotations

import os
import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING

from vsodtool.cli.text import printable
from vsodtool.pipelines.running.ranks import Rank

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from vsodtool.types import Event


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
            name = printable(event.video)
            task = self._tasks[event.video] = bars.add_task(name, total=event.total or None)
        if event.total:
            bars.update(task, completed=event.done, total=event.total)
        if event.kind == "done":  # a line takes its place: a bar for each of many videos fills the screen
            bars.remove_task(self._tasks.pop(event.video))


def write_err(text: str) -> None:
    """Write to stderr, now."""
    sys.stderr.write(text)
    sys.stderr.flush()


def _make_bars() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=Console(file=sys.stderr),  # honours NO_COLOR by itself
        redirect_stdout=False,
        redirect_stderr=False,
    )
