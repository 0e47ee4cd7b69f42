"""What earlier runs left in an output folder: to be continued, cleared, or swept away."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from pathlib import Path

from vsodtool.errors import DataError
from vsodtool.media.atomic import disk_errors, write_bytes_atomically
from vsodtool.media.atomic import remove_leftovers as remove_temporary_files
from vsodtool.media.output.frames_csv import read_frames_csv
from vsodtool.media.output.journal import Journal, journal_lines
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.lock import probe
from vsodtool.media.output.manifest import COMPLETE, Manifest, read_manifest
from vsodtool.media.output.objects_csv import objects_of, read_objects_csv
from vsodtool.media.output.stamps import Condition, Stamp, condition
from vsodtool.media.spill import FrameSpill
from vsodtool.types import FrameRecord, MethodChoice

OutputsOf = Callable[[FrameRecord], Iterable[Path]]
FrameNames = Mapping[str, Sequence[str]]  # video -> names of all its frames, in order


@dataclass(frozen=True)
class Earlier:
    """What earlier runs left in an output folder.

    Attributes:
        frames: the finished frames whose files are as they were written, or edited, by video and name.
        complete: all is done, and all files are still so.
        choices: the method of each video for which one was chosen.
        cuts: where the shots of each video begin for which they were found.
        files: everything that was written, by paths from the output folder.
        edits: masks that somebody drew on since: theirs from then on.
    """

    frames: dict[str, dict[str, FrameRecord]]
    complete: bool
    choices: dict[str, MethodChoice] = field(default_factory=dict)
    cuts: dict[str, list[int]] = field(default_factory=dict)
    files: dict[str, Stamp] = field(default_factory=dict)
    edits: list[Path] = field(default_factory=list)


def find_earlier(
    layout: OutputLayout,
    before: Manifest | None,
    outputs_of: OutputsOf | None,
    frames: FrameNames | None = None,
) -> Earlier:
    """Read what was written and all journals, and compare the files with it; reads only.

    Args:
        layout: the output folder.
        before: the manifest there; None for a fresh folder.
        outputs_of: the files that a frame of this record must have.
        frames: of all videos of the run; None takes what is listed for all there is.

    Raises:
        DataError: a state file is a link.
        DeviceError: the disk fails.
    """
    if before is None:
        return Earlier({}, complete=False)
    listed = read_lists(layout)
    records, files = listed.records, listed.files
    if frames is not None:
        known = {(video, name) for video, names in frames.items() for name in names}
        records = {key: record for key, record in records.items() if key in known}
        whole = len(records) == len(known)
    else:
        whole = True
    kept, edits = _compare(layout, records.values(), files, outputs_of)
    finished: dict[str, dict[str, FrameRecord]] = {}
    for record in kept:
        finished.setdefault(record.video, {})[record.frame] = record
    complete = before.status == COMPLETE and whole and len(kept) == len(records)
    if complete and outputs_of is not None:
        complete = _same_table(layout, kept)
    return Earlier(
        finished,
        complete,
        {**before.choices, **listed.choices},
        {**before.cuts, **listed.cuts},
        files,
        edits,
    )


@dataclass(frozen=True)
class Lists:
    """What is listed as written, a later line instead of an earlier one."""

    records: dict[tuple[str, str], FrameRecord] = field(default_factory=dict)
    files: dict[str, Stamp] = field(default_factory=dict)
    choices: dict[str, MethodChoice] = field(default_factory=dict)
    cuts: dict[str, list[int]] = field(default_factory=dict)


def read_lists(layout: OutputLayout) -> Lists:
    """What the list of a finished run and all journals say; reads only.

    Raises:
        DataError: a state file is a link.
        DeviceError: the disk fails.
    """
    lists = Lists()
    for path in (layout.written, *layout.journals()):
        journal = Journal(path, foreign=True)
        lists.choices.update(journal.choices())
        lists.cuts.update(journal.cuts())
        lists.files.update(journal.files())
        for video in journal.videos():
            lists.records.update({(video, name): each for name, each in journal.records(video).items()})
    return lists


def keep_journals(layout: OutputLayout) -> None:
    """Make one list of what the journals and the list of an earlier run say; the journals may go then.

    Raises:
        DeviceError: it cannot be written.
    """
    lists = read_lists(layout)
    write_bytes_atomically(layout.written, journal_lines(lists.records.values(), lists.files))


def _compare(
    layout: OutputLayout,
    records: Iterable[FrameRecord],
    files: Mapping[str, Stamp],
    outputs_of: OutputsOf | None,
) -> tuple[list[FrameRecord], list[Path]]:
    """The records whose files are intact or edited, and the edited files."""
    listed = list(records)
    if outputs_of is None:
        return listed, []

    def look(record: FrameRecord) -> list[tuple[Path, Condition]]:
        return [(path, known_condition(layout, path, files)) for path in outputs_of(record)]

    with ThreadPoolExecutor(os.cpu_count(), "compare") as pool:  # hashing leaves the interpreter's lock
        found = list(pool.map(look, listed, chunksize=64))
    kept = [
        record
        for record, conditions in zip(listed, found, strict=True)
        if all(each is not Condition.DAMAGED for _, each in conditions)
    ]
    edits = [path for conditions in found for path, each in conditions if each is Condition.EDITED]
    return kept, edits


def known_condition(layout: OutputLayout, path: Path, files: Mapping[str, Stamp]) -> Condition:
    """What became of an output file, by what is known to have been written.

    Raises:
        DeviceError: the disk fails.
    """
    written = files.get(path.relative_to(layout.root).as_posix())
    return condition(path, written, editable=path.is_relative_to(layout.root / "masks"))


def _same_table(layout: OutputLayout, records: Sequence[FrameRecord]) -> bool:
    """Whether frames.csv and objects.csv say what the records say."""
    try:
        rows = read_frames_csv(layout.frames_csv)
        expected = objects_of(records)
        if expected and read_objects_csv(layout.objects_csv) != expected:
            return False
    except DataError:
        return False
    told = {(row.video, row.frame): row for row in rows}
    return len(rows) == len(records) and all(
        (row := told.get((record.video, record.frame))) is not None
        and replace(row, confidence=0.0) == replace(record, confidence=0.0, basis="", objects=())
        and abs(row.confidence - record.confidence) < 1e-5
        for record in records
    )


def take_edits(layout: OutputLayout) -> list[Path]:
    """Move masks that somebody drew on to the corrections; only while no other run writes there.

    Returns:
        Where they lie now.

    Raises:
        DataError: a state file is a link.
        DeviceError: something cannot be moved.
    """
    return [keep_edit(layout, path) for path in find_edits(layout)]


def find_edits(layout: OutputLayout) -> list[Path]:
    """The masks that somebody drew on since they were written; reads only.

    Raises:
        DataError: a state file is a link.
        DeviceError: the disk fails.
    """
    files = read_lists(layout).files
    own = cache(lambda folder: belongs(layout, folder / "a mask"))  # asked once for thousands of masks
    masks = (layout.root / name for name in files if name.startswith("masks/"))
    paths = [path for path in masks if own(path.parent)]
    with ThreadPoolExecutor(os.cpu_count(), "compare") as pool:
        found = pool.map(lambda path: known_condition(layout, path, files), paths, chunksize=64)
        return [path for path, each in zip(paths, found, strict=True) if each is Condition.EDITED]


def read_records(layout: OutputLayout) -> dict[str, dict[str, FrameRecord]]:
    """All frames that are listed as written, by video and name; whether their files are so is not asked.

    Raises:
        DataError: a state file is a link.
        DeviceError: the disk fails.
    """
    found: dict[str, dict[str, FrameRecord]] = {}
    for record in read_lists(layout).records.values():
        found.setdefault(record.video, {})[record.frame] = record
    return found


def read_found_cuts(layout: OutputLayout) -> dict[str, list[int]]:
    """Where the shots of videos begin, as the manifest and the journals say.

    Raises:
        UsageError, DataError: the manifest is not the tool's, or damaged; a state file is a link.
        DeviceError: the disk fails.
    """
    before = read_manifest(layout.manifest)
    return {**(before.cuts if before is not None else {}), **read_lists(layout).cuts}


def belongs(layout: OutputLayout, path: Path) -> bool:
    """Whether a listed path lies in a folder of the tool's own, and not through a link or `..`."""
    inside = path.relative_to(layout.root).parts
    if len(inside) < 2 or ".." in inside or layout.root / inside[0] not in layout.folders:
        return False
    return not any(folder.is_symlink() for folder in path.parents if layout.root in folder.parents)


def keep_edit(layout: OutputLayout, mask: Path) -> Path:
    """Move an edited mask to the corrections; an earlier correction of that frame is kept beside them."""
    target = layout.correction(mask.parent.name, mask.stem)
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(target):
            for number in count(1):
                kept = layout.corrections / ".earlier" / target.parent.name / f"{target.stem}.{number}.png"
                if not os.path.lexists(kept):
                    break
            kept.parent.mkdir(parents=True, exist_ok=True)
            target.rename(kept)
        mask.rename(target)
    return target


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
