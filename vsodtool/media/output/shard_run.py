"""Several processes share one run: each does its part of the videos, whoever ends last completes the run.

They meet in the output folder only. Each shard has a journal of its own; what a killed one left undone is
done by the next run there, with the same shards, others, or none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vsodtool.config.shard import Shard
from vsodtool.errors import DeviceError
from vsodtool.media.atomic import disk_errors
from vsodtool.media.output.clearing import Cleared, clear, remove_leftovers
from vsodtool.media.output.earlier_run import OutputsOf, find_earlier
from vsodtool.media.output.edits import keep_resized
from vsodtool.media.output.journal import Journal
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.lock import ShardLocks
from vsodtool.media.output.manifest import CLEARING, RUNNING, Manifest, read_manifest, write_manifest
from vsodtool.media.output.own_files import refuse_linked_folders
from vsodtool.media.output.resume import check_resumable
from vsodtool.media.output.run_state import ResumeState
from vsodtool.media.output.written import keep_journals, remove_journals
from vsodtool.types import FrameRecord, MethodChoice


@dataclass(frozen=True)
class Part:
    """What one of several processes does of a run.

    Attributes:
        shard: which part.
        frames: of the whole run: the names of all frames in order, by video in order.
        own: the videos of this part.
        launch: known to all processes that were started together, "" if nothing started them together.
    """

    shard: Shard
    frames: Mapping[str, Sequence[str]]
    own: frozenset[str]
    launch: str = ""


@dataclass(frozen=True)
class _Whole:
    """Every row of frames.csv in order, and the choices and cuts of all videos."""

    rows: list[FrameRecord]
    choices: dict[str, MethodChoice]
    cuts: dict[str, list[int]]


@dataclass
class ShardState(ResumeState):
    """A shard at work in an output folder that it shares; `finish` completes the run if it is the last."""

    _part: Part
    _locks: ShardLocks

    def finish(self, records: Iterable[FrameRecord], seconds: float) -> Manifest:
        """Commit what is known of this part; if nothing of the others' is left to do, complete the run.

        Args:
            records: every frame of the videos of this part.
            seconds: duration of this run.

        Raises:
            DeviceError: a file cannot be written.
        """
        rows = list(records)
        self._commit_missing(rows)
        self.journal.commit([], {video: {} for video in self._part.own})
        with self._locks.gate():
            whole = self._all_rows()
            if whole is not None:
                self._choices, self._cuts = whole.choices, whole.cuts
                super().finish(whole.rows, seconds)
        return self.manifest

    def finish_counts(self, videos: Mapping[str, Mapping[str, int]], seconds: float) -> Manifest:
        """As `finish`, for a command without a table of frames; `videos` are those of this part."""
        self.journal.commit([], videos)
        with self._locks.gate():
            done = {**self._done(), **videos}
            if done.keys() >= self.manifest.inputs.keys():
                super().finish_counts({video: done[video] for video in self._part.frames}, seconds)
        return self.manifest

    def settle(self) -> None:
        """As the whole run's; while other shards are at work, their journals stay for the next run."""
        with self._locks.gate():
            if self._locks.alone():
                super().settle()

    def waiting_for(self) -> list[str]:
        """The videos that other shards have not finished yet."""
        done = self._done()
        return [video for video in self._part.frames if video not in done and video not in self._part.own]

    def close(self) -> None:
        """Close the journal and give the locks back; the last to leave clears up after killed shards."""
        self.journal.close()
        with self._locks.gate():
            if self._locks.alone():
                remove_leftovers(self.layout)
            self._locks.release()

    def _all_rows(self) -> _Whole | None:
        """What all shards did; None while a video is not done."""
        if not self._done().keys() >= self.manifest.inputs.keys():
            return None
        earlier = find_earlier(self.layout, self.manifest, self._outputs_of, self._part.frames)
        rows = []
        for video, frames in self._part.frames.items():
            of_video = earlier.frames.get(video, {})
            if any(frame not in of_video for frame in frames):
                return None
            rows += [of_video[frame] for frame in frames]
        return _Whole(rows, earlier.choices, earlier.cuts)

    def _done(self) -> dict[str, Mapping[str, int]]:
        written = read_manifest(self.layout.manifest)
        done: dict[str, Mapping[str, int]] = dict(written.videos) if written is not None else {}
        for path in self.layout.journals():
            done.update(Journal(path, foreign=True).done())
        return done


def start_shard(
    layout: OutputLayout,
    manifest: Manifest,
    part: Part,
    *,
    overwrite: bool = False,
    outputs_of: OutputsOf | None = None,
) -> ShardState:
    """As `start_or_resume`, for one of several processes.

    Args:
        layout: the output folder, checked by `check_output`; it is made when absent.
        manifest: of the whole run, from `describe_run`.
        part: what this process does of it.
        overwrite: begin anew; of the processes of one launch, the first that comes here clears the folder.
        outputs_of: the files that a frame of this record must have; a frame with a missing one is made again.

    Raises:
        DeviceError: an unsharded run, the same shard, or shards of another division are writing there.
        UsageError, DataError, WeightsError: as `check_resumable`.
    """
    with disk_errors(layout.root):
        layout.root.mkdir(parents=True, exist_ok=True)
    locks = ShardLocks(layout, part.shard)
    with locks.gate():
        locks.take()
        try:
            return _start(layout, manifest, part, locks, overwrite=overwrite, outputs_of=outputs_of)
        except BaseException:
            locks.release()
            raise


def _start(
    layout: OutputLayout,
    manifest: Manifest,
    part: Part,
    locks: ShardLocks,
    *,
    overwrite: bool,
    outputs_of: OutputsOf | None,
) -> ShardState:
    found = read_manifest(layout.manifest)
    cleared = found is not None and part.launch != "" and found.launch == part.launch
    anew = overwrite and not cleared
    before = check_resumable(layout, manifest, overwrite=anew)
    alone = locks.alone()
    refuse_linked_folders(layout, manifest.inputs)
    moved: list[Path] = []
    swept: Cleared | None = None
    if alone:
        remove_leftovers(layout)
    if before is not None and (anew or before.status == CLEARING):
        if not alone:
            raise DeviceError(
                f"other shards may be writing to {layout.root}: it cannot be cleared",
                "wait for them and run again, or delete the folder",
            )
        moved, swept = clear(layout, manifest)
        before = None
    earlier = find_earlier(layout, before, outputs_of, part.frames)
    aside = keep_resized(layout, earlier.resized)
    if before is not None and earlier.complete:
        manifest = before
        if alone:  # killed between the last two steps of `finish`
            keep_journals(layout)
            remove_journals(layout)
    else:
        launch = part.launch if overwrite else before.launch if before is not None else ""
        if before is not None:
            # The counts of a run that was complete once say which videos were done: flows have no other
            # record. Its choices and cuts have none either: the journals are gone.
            manifest = replace(
                manifest,
                videos=before.videos,
                choices=before.choices,
                cuts=before.cuts,
                doubts=before.doubts,
            )
        manifest = replace(manifest, launch=launch)
        if before is None or before.status != RUNNING:
            write_manifest(layout.manifest, manifest)
    return ShardState(
        layout=layout,
        manifest=manifest,
        journal=Journal(layout.shard_journal(part.shard)),
        resumed=before is not None,
        complete=earlier.complete,
        edits=earlier.edits,
        moved=moved,
        cleared=swept,
        aside=swept.aside if swept is not None else aside,
        _outputs_of=outputs_of,
        _files=earlier.files,
        _earlier=earlier.frames,
        _choices=dict(earlier.choices),
        _cuts=dict(earlier.cuts),
        _lock=locks,
        _part=part,
        _locks=locks,
    )
