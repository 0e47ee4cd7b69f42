"""A run at work in its output folder: what is finished is listed there, until all is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Protocol

from vsodtool.media.atomic import disk_errors
from vsodtool.media.output.clearing import Cleared
from vsodtool.media.output.earlier_run import OutputsOf
from vsodtool.media.output.edits import Resized
from vsodtool.media.output.journal import Journal
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import COMPLETE, Manifest, write_manifest
from vsodtool.media.output.stamps import Condition, Stamp, known_condition, stamp
from vsodtool.media.output.tables.frames_csv import write_frames_csv
from vsodtool.media.output.tables.objects_csv import write_objects_csv
from vsodtool.media.output.written import keep_journals, remove_journals
from vsodtool.types import FrameRecord, MethodChoice


class Held(Protocol):
    """A lock, or several."""

    def check(self) -> None:
        """Require that the folder is still where it was."""
        ...

    def release(self) -> None:
        """Give it back; twice is harmless."""
        ...


@dataclass(frozen=True)
class Known:
    """What is known of a video when another process begins with it. Can be pickled.

    Attributes:
        finished: the frames that are finished, by name.
        choice: the method that was chosen.
        cuts: where the shots begin; None: not yet known.
        files: what was written, by paths from the output folder.
        seconds: that others have spent on it in this run.
    """

    finished: dict[str, FrameRecord] = field(default_factory=dict)
    choice: MethodChoice | None = None
    cuts: list[int] | None = None
    files: dict[str, Stamp] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass
class ResumeState:
    """A run that holds its output folder; close it (or use `with`) when done, whatever happened.

    Attributes:
        layout: where the files go.
        manifest: as written at the start.
        journal: where finished frames are committed.
        resumed: an earlier run began here with the same options and inputs.
        complete: nothing is left to do: that run finished, and all its files are still as it wrote them.
        edits: masks that somebody drew on since they were written; they are left as they are.
        moved: edited masks that `overwrite` took over into the corrections.
        cleared: what `overwrite` took away.
        aside: masks that somebody saved in another size, and where each lies now.
    """

    layout: OutputLayout
    manifest: Manifest
    journal: Journal
    resumed: bool
    complete: bool
    edits: list[Path]
    moved: list[Path]
    _outputs_of: OutputsOf | None
    _files: dict[str, Stamp]
    _earlier: dict[str, dict[str, FrameRecord]]
    _choices: dict[str, MethodChoice]
    _cuts: dict[str, list[int]]
    _lock: Held
    cleared: Cleared | None = field(default=None, kw_only=True)
    aside: Mapping[Path, Resized] = field(default_factory=dict, kw_only=True)

    @property
    def spent(self) -> float:
        """Seconds that other processes have spent on a video: none, they tell this one what they did."""
        return 0.0

    def finished(self, video: str) -> dict[str, FrameRecord]:
        """The frames of `video` that earlier runs finished and whose files exist, by frame name."""
        return dict(self._earlier.get(video, {}))

    def commit(self, records: Sequence[FrameRecord]) -> None:
        """Frames are finished: their files have their final names. Callable from several threads.

        Raises:
            DeviceError: the disk is full, or the output folder was moved or deleted.
        """
        outputs_of = self._outputs_of
        paths = [] if outputs_of is None else [path for record in records for path in outputs_of(record)]
        self._list(paths, records)

    def wrote(self, paths: Iterable[Path]) -> None:
        """Note files that belong to no single frame. Callable from several threads.

        Raises:
            DeviceError: as `commit`.
        """
        self._list(list(paths), [])

    def _list(self, paths: Sequence[Path], records: Sequence[FrameRecord]) -> None:
        self._lock.check()
        files = {path.relative_to(self.layout.root).as_posix(): stamp(path) for path in paths}
        self.journal.commit(records, files=files)

    def holds(self, path: Path) -> bool:
        """Whether a file is as it was written, by this run or an earlier one."""
        return known_condition(self.layout, path, self._files) is Condition.INTACT

    def drop(self, paths: Iterable[Path]) -> None:
        """Delete files that are as they were written: they say what no longer holds.

        Raises:
            DeviceError: one cannot be deleted, or the output folder was moved or deleted.
        """
        self._lock.check()
        for path in paths:
            if self.holds(path):
                with disk_errors(path):
                    path.unlink()

    def choice(self, video: str) -> MethodChoice | None:
        """The method that this run, or the one that it continues, chose for `video`."""
        return self._choices.get(video)

    def choose(self, video: str, choice: MethodChoice) -> None:
        """Hold to a choice from now on, also in runs that continue this one.

        Raises:
            DeviceError: the disk is full.
        """
        self.journal.choose(video, choice)
        self._choices[video] = choice

    def cuts(self, video: str) -> Sequence[int] | None:
        """Where the shots of a video begin, as this run or the one that it continues found; None: not yet."""
        return self._cuts.get(video)

    def settle_cuts(self, video: str, cuts: Sequence[int]) -> None:
        """Hold to where shots begin from now on, also in runs that continue this one.

        Raises:
            DeviceError: the disk is full.
        """
        self.journal.settle_cuts(video, cuts)
        self._cuts[video] = list(cuts)

    def add(self, records: Sequence[FrameRecord], files: Mapping[str, Stamp]) -> None:
        """List frames that another process finished, and files that it wrote.

        Args:
            records: the frames.
            files: as they were written, by paths from the output folder.

        Raises:
            DeviceError: as `commit`.
        """
        self._lock.check()
        self.journal.commit(records, files=files)

    def known(self, video: str, asked: Iterable[Path] = (), seconds: float = 0.0) -> Known:
        """What another process must know to go on with `video`.

        Args:
            video: its name.
            asked: files besides those of finished frames whose state it may ask about.
            seconds: that others have spent on it in this run.
        """
        finished = {**self.finished(video), **self.journal.records(video)}
        outputs_of = self._outputs_of
        paths = list(asked)
        if outputs_of is not None:
            paths += [path for record in finished.values() for path in outputs_of(record)]
        names = [path.relative_to(self.layout.root).as_posix() for path in paths]
        stamps = ((name, self.journal.file(name) or self._files.get(name)) for name in names)
        cuts = self.cuts(video)
        return Known(
            finished,
            self.choice(video),
            None if cuts is None else list(cuts),
            {name: found for name, found in stamps if found is not None},
            seconds,
        )

    def finish(self, records: Iterable[FrameRecord], seconds: float) -> Manifest:
        """Write frames.csv and objects.csv (rows in the given order), complete the manifest, drop journals.

        Args:
            records: every frame of every video, those of earlier runs included.
            seconds: duration of this run.

        Raises:
            DeviceError: a file cannot be written.
        """
        self._lock.check()
        rows = list(records)
        self._commit_missing(rows)
        write_frames_csv(self.layout.frames_csv, rows)
        write_objects_csv(self.layout.objects_csv, rows)
        counted = self.manifest.completed(rows, seconds)
        return self._complete(replace(counted, choices=self._choices, cuts=self._cuts))

    def settle(self) -> None:
        """Of a run that was complete before: list what it made again, as an overlay that had gone.

        Raises:
            DeviceError: the list cannot be written.
        """
        self.journal.close()
        if self.layout.journals():
            keep_journals(self.layout)
            remove_journals(self.layout)

    def _commit_missing(self, rows: Iterable[FrameRecord]) -> None:
        """List what no list has yet, as frames that did not decode."""
        listed = {**self._earlier}
        for video in self.journal.videos():
            listed[video] = {**listed.get(video, {}), **self.journal.records(video)}
        self.commit([row for row in rows if listed.get(row.video, {}).get(row.frame) != row])

    def finish_counts(self, videos: Mapping[str, Mapping[str, int]], seconds: float) -> Manifest:
        """As `finish`, for a command without a table of frames.

        Args:
            videos: what the manifest counts, by video.
            seconds: duration of this run.

        Raises:
            DeviceError: a file cannot be written.
        """
        counts = {video: dict(numbers) for video, numbers in videos.items()}
        return self._complete(
            replace(self.manifest, videos=counts, seconds=round(seconds, 3), status=COMPLETE)
        )

    def _complete(self, manifest: Manifest) -> Manifest:
        self._lock.check()
        self.manifest = manifest
        keep_journals(self.layout)
        write_manifest(self.layout.manifest, manifest)
        self.journal.close()
        remove_journals(self.layout)
        self.complete = True
        return manifest

    def close(self) -> None:
        """Close the journal and give the output folder back. What is finished stays."""
        self.journal.close()
        self._lock.release()

    def __enter__(self) -> ResumeState:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
