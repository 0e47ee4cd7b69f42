"""What earlier runs left in an output folder: to be continued, cleared, or swept away."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from vsodtool.media.atomic import disk_errors
from vsodtool.media.atomic import remove_leftovers as remove_temporary_files
from vsodtool.media.output.frames_csv import read_frames_csv
from vsodtool.media.output.journal import Journal
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.lock import probe
from vsodtool.media.output.manifest import CLEARING, COMPLETE, Manifest, write_manifest
from vsodtool.media.spill import FrameSpill
from vsodtool.types import FrameRecord, MethodChoice

OutputsOf = Callable[[FrameRecord], Iterable[Path]]


@dataclass(frozen=True)
class Earlier:
    """What earlier runs left in an output folder.

    Attributes:
        frames: the finished frames whose files exist, by video and name.
        complete: all is done, and all files are still there.
        choices: the method of each video for which one was chosen.
    """

    frames: dict[str, dict[str, FrameRecord]]
    complete: bool
    choices: dict[str, MethodChoice] = field(default_factory=dict)


def find_earlier(layout: OutputLayout, before: Manifest | None, outputs_of: OutputsOf | None) -> Earlier:
    """Read frames.csv and all journals, and look for the files; reads only.

    Args:
        layout: the output folder.
        before: the manifest there; None for a fresh folder.
        outputs_of: the files that a frame of this record must have.
    """
    if before is None:
        return Earlier({}, complete=False)
    # frames.csv beside a journal: a run that was complete once and is being mended.
    records = read_frames_csv(layout.frames_csv) if layout.frames_csv.exists() else []
    choices = dict(before.choices)
    for path in layout.journals():
        journal = Journal(path, foreign=True)
        choices |= journal.choices()
        for video in journal.videos():
            records += journal.records(video).values()
    frames: dict[str, dict[str, FrameRecord]] = {}
    intact = 0
    for record in records:
        if outputs_of is None or _all_exist(outputs_of(record)):
            frames.setdefault(record.video, {})[record.frame] = record
            intact += 1
    return Earlier(frames, before.status == COMPLETE and intact == len(records), choices)


def _all_exist(paths: Iterable[Path]) -> bool:
    return all(path.exists() for path in paths)


def clear(layout: OutputLayout, manifest: Manifest) -> None:
    """Delete what the tool wrote there, for a run that begins anew; only while no other run writes there.

    Raises:
        DeviceError: something cannot be deleted.
    """
    # Marked first: if this is killed half way, the next run knows that what is left counts for nothing.
    write_manifest(layout.manifest, replace(manifest, status=CLEARING))
    written = list(layout.written_files())
    for path in [*layout.journals(), layout.frames_csv, *written]:
        with disk_errors(path):
            path.unlink(missing_ok=True)
    folders = {folder for path in written for folder in path.parents if layout.root in folder.parents}
    for folder in sorted(folders, key=lambda folder: len(folder.parts), reverse=True):
        with disk_errors(folder):
            if not folder.is_symlink() and not any(folder.iterdir()):
                folder.rmdir()


def remove_leftovers(layout: OutputLayout) -> None:
    """Delete what killed runs left there; only while no other run writes there.

    Raises:
        DeviceError: something cannot be deleted.
    """
    remove_temporary_files(layout.root, recursive=False)
    FrameSpill.remove_leftovers(layout.root)
    for folder in layout.folders:
        remove_temporary_files(folder)
    for path in (layout.gate, *layout.shard_locks().values()):
        probe(path)


def remove_journals(layout: OutputLayout) -> None:
    """Delete all journals: what they say stands in frames.csv and the manifest.

    Raises:
        DeviceError: one cannot be deleted.
    """
    for path in layout.journals():
        with disk_errors(path):
            path.unlink(missing_ok=True)
