"""One video's part of an output folder: as the run itself holds it, or as a worker elsewhere sees it.

A worker writes files under their final names, and sends what it would have written into the journal: the
process that started it keeps the only one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from vsodtool.errors import VsodtoolError
from vsodtool.media.atomic import disk_errors
from vsodtool.media.output.earlier_run import OutputsOf
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.run_state import Known
from vsodtool.media.output.stamps import Condition, Stamp, known_condition, stamp
from vsodtool.types import Event, FrameRecord, MethodChoice


class VideoState(Protocol):
    """What the work on a video knows of the output folder, and tells it; see `ResumeState`."""

    @property
    def layout(self) -> OutputLayout:
        """Where files go."""
        ...

    @property
    def spent(self) -> float:
        """Seconds that others have spent on the video in this run."""
        ...

    def finished(self, video: str) -> dict[str, FrameRecord]:
        """The frames that are finished, by name."""
        ...

    def commit(self, records: Sequence[FrameRecord]) -> None:
        """Frames are finished: their files have their final names."""
        ...

    def wrote(self, paths: Iterable[Path]) -> None:
        """Note files that belong to no single frame."""
        ...

    def holds(self, path: Path) -> bool:
        """Whether a file is as it was written."""
        ...

    def drop(self, paths: Iterable[Path]) -> None:
        """Delete files that are as they were written."""
        ...

    def choice(self, video: str) -> MethodChoice | None:
        """The method that was chosen."""
        ...

    def choose(self, video: str, choice: MethodChoice) -> None:
        """Hold to a choice from now on."""
        ...

    def cuts(self, video: str) -> Sequence[int] | None:
        """Where the shots begin; None: not yet known."""
        ...

    def settle_cuts(self, video: str, cuts: Sequence[int]) -> None:
        """Hold to where shots begin from now on."""
        ...


@dataclass(frozen=True)
class Told:
    """An event for whoever listens to the run."""

    event: Event


@dataclass(frozen=True)
class Listed:
    """Finished frames, and files with their stamps, for the journal."""

    records: list[FrameRecord]
    files: dict[str, Stamp]


@dataclass(frozen=True)
class Chosen:
    """The method of the video, for the journal."""

    choice: MethodChoice


@dataclass(frozen=True)
class CutsFound:
    """Where the shots of the video begin, for the journal."""

    cuts: list[int]


@dataclass(frozen=True)
class Ended:
    """The work is done, with this result."""

    result: Any


@dataclass(frozen=True)
class Refused:
    """The work cannot be done, wherever it is tried."""

    error: VsodtoolError


Message: TypeAlias = Told | Listed | Chosen | CutsFound | Ended | Refused


class RemoteState:
    """What a worker has instead of the run's own state. Callable from several threads, as `send` must be."""

    def __init__(
        self,
        layout: OutputLayout,
        known: Known,
        outputs_of: OutputsOf | None,
        send: Callable[[Message], None],
    ) -> None:
        """Begin with what is known.

        Args:
            layout: of the run.
            known: of the video.
            outputs_of: the files that a finished frame has.
            send: takes what the run must know, in order.
        """
        self.layout, self._known, self._outputs_of, self._send = layout, known, outputs_of, send
        self._choice, self._cuts, self.spent = known.choice, known.cuts, known.seconds

    def finished(self, video: str) -> dict[str, FrameRecord]:
        """The frames that were finished when the worker began."""
        del video
        return dict(self._known.finished)

    def commit(self, records: Sequence[FrameRecord]) -> None:
        """Have finished frames listed."""
        outputs_of = self._outputs_of
        paths = [] if outputs_of is None else [path for record in records for path in outputs_of(record)]
        self._send(Listed(list(records), stamps(self.layout, paths)))

    def wrote(self, paths: Iterable[Path]) -> None:
        """Have files listed that belong to no single frame."""
        self._send(Listed([], stamps(self.layout, paths)))

    def holds(self, path: Path) -> bool:
        """Whether a file is as it was written before the worker began."""
        return known_condition(self.layout, path, self._known.files) is Condition.INTACT

    def drop(self, paths: Iterable[Path]) -> None:
        """Delete files that are as they were written."""
        for path in paths:
            if self.holds(path):
                with disk_errors(path):
                    path.unlink()

    def choice(self, video: str) -> MethodChoice | None:
        """The method that was chosen."""
        del video
        return self._choice

    def choose(self, video: str, choice: MethodChoice) -> None:
        """Have a choice listed."""
        del video
        self._send(Chosen(choice))
        self._choice = choice

    def cuts(self, video: str) -> Sequence[int] | None:
        """Where the shots begin; None: not yet known."""
        del video
        return self._cuts

    def settle_cuts(self, video: str, cuts: Sequence[int]) -> None:
        """Have listed where shots begin."""
        del video
        self._send(CutsFound(list(cuts)))
        self._cuts = list(cuts)


def stamps(layout: OutputLayout, paths: Iterable[Path]) -> dict[str, Stamp]:
    """The stamps of files just written, by their paths from the output folder.

    Raises:
        DeviceError: one cannot be read.
    """
    return {path.relative_to(layout.root).as_posix(): stamp(path) for path in paths}
