"""Start a run in an output folder, or continue the one that was interrupted there.

What decides is the manifest. The same command, options, inputs, masks and weights continue; anything else is
refused unless the user says --overwrite, which clears what the tool wrote there and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Protocol

from vsodtool.errors import DataError, UsageError
from vsodtool.media.atomic import disk_errors
from vsodtool.media.fingerprint import Input, content_fingerprint, input_fingerprint
from vsodtool.media.output.changes import refuse_changes
from vsodtool.media.output.clearing import Cleared, clear
from vsodtool.media.output.earlier_run import (
    FrameNames,
    OutputsOf,
    find_earlier,
    keep_journals,
    known_condition,
    remove_journals,
    remove_leftovers,
    take_edits,
)
from vsodtool.media.output.frames_csv import write_frames_csv
from vsodtool.media.output.journal import Journal
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.lock import OutputLock
from vsodtool.media.output.manifest import (
    CLEARING,
    COMPLETE,
    UPDATING,
    InputEntry,
    Manifest,
    plain,
    read_manifest,
    write_manifest,
)
from vsodtool.media.output.objects_csv import write_objects_csv
from vsodtool.media.output.own_files import refuse_linked_folders
from vsodtool.media.output.stamps import Condition, Stamp, stamp
from vsodtool.types import FrameRecord, MethodChoice

_DIVISION = frozenset({"shard", "engine", "ray_address"})  # options that say who does which part


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


def describe_run(
    command: str,
    config: Mapping[str, object],
    inputs: Sequence[Input],
    masks: Mapping[str, Sequence[Path]],
    weights: Mapping[str, str] | None = None,
) -> Manifest:
    """The manifest of a run that is about to start; reads the mask files, only stats the inputs.

    Args:
        command: the verb.
        config: every option by its name in the configuration (`dry_run`, not `--dry-run`).
        inputs: the videos.
        masks: the mask files in use, by video name.
        weights: SHA-256 by weight name.

    Raises:
        DataError: an input or mask has gone or cannot be read.
    """
    entries = {}
    for video in sorted(inputs, key=lambda video: video.name):
        files = masks.get(video.name, ())
        digest = content_fingerprint(files) if files else ""
        entries[video.name] = InputEntry(
            str(video.path), len(video.files) or 1, input_fingerprint(video), len(files), digest
        )
    # All shards of a run share one manifest, and one engine continues what another began.
    whole = {name: value for name, value in config.items() if name not in _DIVISION}
    return Manifest(command, plain(whole), entries, dict(weights or {}))


def check_resumable(
    layout: OutputLayout, manifest: Manifest, *, overwrite: bool = False, update: bool = False
) -> Manifest | None:
    """Refuse to continue what another run began. Reads only, so a dry run can call it.

    Args:
        layout: the output folder.
        manifest: of the run to start.
        overwrite: it begins anew.
        update: it makes some labels of a complete run again; masks may have changed.

    Returns:
        The manifest that lies there; None for a fresh folder.

    Raises:
        UsageError: an option or the command changed (named with both values), or the folder holds files of
            those names that are not the tool's (also with `overwrite`); there is nothing to update.
        DataError: an input or a mask changed, appeared or has gone; what is to be updated is not finished.
        WeightsError: a weight file changed.
    """
    before = read_manifest(layout.manifest)
    if before is None:
        occupied = layout.occupied()
        if occupied:
            raise UsageError(
                f"{occupied[0]} exists and was not written by vsodtool",
                "choose another output folder, or move it away",
            )
        if update and not overwrite:
            raise UsageError(f"nothing to update: no run began in {layout.root}", "leave out --update")
        return None
    if overwrite:
        return before
    if before.status != CLEARING:
        refuse_changes(layout.root, before, manifest, update=update)
    if update and before.status not in (COMPLETE, UPDATING):
        raise DataError(
            f"{layout.root}: expected a finished run to update, found an unfinished one",
            "run the command without --update first",
        )
    return before


def take_over_edits(layout: OutputLayout) -> list[Path]:
    """Move the masks that somebody drew on to the corrections.

    Returns:
        Where they lie now.

    Raises:
        DataError: a state file is a link.
        DeviceError: another run is writing there, or something cannot be moved.
    """
    lock = OutputLock(layout.lock)
    try:
        return take_edits(layout)
    finally:
        lock.release()


def start_or_resume(
    layout: OutputLayout,
    manifest: Manifest,
    *,
    overwrite: bool = False,
    update: bool = False,
    outputs_of: OutputsOf | None = None,
    frames: FrameNames | None = None,
) -> ResumeState:
    """Take the output folder and continue what is there, or begin.

    Args:
        layout: the output folder, checked by `check_output`; it is made when absent.
        manifest: of the run to start, from `describe_run`.
        overwrite: delete the tool's earlier outputs there, and only those, and begin anew.
        update: continue although masks changed since; which frames that concerns the caller knows.
        outputs_of: the files that a frame of this record must have; a frame is made again where one is not as
            it was written, unless somebody drew on the mask.
        frames: of all videos of the run.

    Raises:
        DeviceError: another run is writing there, or the folder cannot be written.
        UsageError, DataError, WeightsError: as `check_resumable`.
    """
    with disk_errors(layout.root):
        layout.root.mkdir(parents=True, exist_ok=True)
    lock = OutputLock(layout.lock)
    try:
        before = check_resumable(layout, manifest, overwrite=overwrite, update=update)
        refuse_linked_folders(layout, manifest.inputs)
        remove_leftovers(layout)
        moved: list[Path] = []
        cleared: Cleared | None = None
        if before is not None and (overwrite or before.status == CLEARING):
            moved, cleared = clear(layout, manifest)
            before = None
        journal = Journal(layout.journal)
        earlier = find_earlier(layout, before, outputs_of, frames)
        complete = before is not None and earlier.complete and _same_masks(before, manifest)
        if before is not None and complete:
            told, manifest = manifest.doubts, before
            if told != before.doubts:
                manifest = replace(before, doubts=told)
                write_manifest(layout.manifest, manifest)
            if layout.journals():  # killed between the last two steps of `finish`
                keep_journals(layout)
                remove_journals(layout)
                journal = Journal(layout.journal)
        else:
            # Those of a run that was complete once: its journal is gone.
            choices = before.choices if before is not None else {}
            cuts = before.cuts if before is not None else {}
            status = UPDATING if update and before is not None else manifest.status
            manifest = replace(manifest, choices=choices, cuts=cuts, status=status)
            write_manifest(layout.manifest, manifest)
        return ResumeState(
            layout,
            manifest,
            journal,
            before is not None,
            complete,
            earlier.edits,
            moved,
            outputs_of,
            earlier.files,
            earlier.frames,
            dict(earlier.choices),
            dict(earlier.cuts),
            lock,
            cleared=cleared,
        )
    except BaseException:
        lock.release()
        raise


def _same_masks(before: Manifest, now: Manifest) -> bool:
    return all(before.inputs[name].masks_sha256 == entry.masks_sha256 for name, entry in now.inputs.items())
