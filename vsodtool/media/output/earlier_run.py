"""What an earlier run left in an output folder, to be continued: read, and compared with the files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from vsodtool.errors import DataError
from vsodtool.media.output.edits import Resized, find_resized
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import COMPLETE, Manifest
from vsodtool.media.output.stamps import Condition, Stamp, known_condition
from vsodtool.media.output.tables.frames_csv import read_frames_csv
from vsodtool.media.output.tables.objects_csv import objects_of, read_objects_csv
from vsodtool.media.output.written import read_written
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
        resized: masks that somebody saved in another size: they are made again.
    """

    frames: dict[str, dict[str, FrameRecord]]
    complete: bool
    choices: dict[str, MethodChoice] = field(default_factory=dict)
    cuts: dict[str, list[int]] = field(default_factory=dict)
    files: dict[str, Stamp] = field(default_factory=dict)
    edits: list[Path] = field(default_factory=list)
    resized: list[Resized] = field(default_factory=list)


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
    written = read_written(layout)
    records, files = written.records, written.files
    if frames is not None:
        known = {(video, name) for video, names in frames.items() for name in names}
        records = {key: record for key, record in records.items() if key in known}
        whole = len(records) == len(known)
    else:
        whole = True
    kept, edits, damaged = _compare(layout, records.values(), files, outputs_of)
    names = (path.relative_to(layout.root).as_posix() for path in damaged)
    resized = find_resized(layout, {name: files[name] for name in names if name in files})
    finished: dict[str, dict[str, FrameRecord]] = {}
    for record in kept:
        finished.setdefault(record.video, {})[record.frame] = record
    complete = before.status == COMPLETE and whole and len(kept) == len(records)
    if complete and outputs_of is not None:
        complete = _same_table(layout, kept)
    return Earlier(
        finished,
        complete,
        {**before.choices, **written.choices},
        {**before.cuts, **written.cuts},
        files,
        edits,
        resized,
    )


def _compare(
    layout: OutputLayout,
    records: Iterable[FrameRecord],
    files: Mapping[str, Stamp],
    outputs_of: OutputsOf | None,
) -> tuple[list[FrameRecord], list[Path], list[Path]]:
    """The records whose files are intact or edited, the edited files, and the damaged ones."""
    listed = list(records)
    if outputs_of is None:
        return listed, [], []

    def conditions_of(record: FrameRecord) -> list[tuple[Path, Condition]]:
        return [(path, known_condition(layout, path, files)) for path in outputs_of(record)]

    with ThreadPoolExecutor(os.cpu_count(), "compare") as pool:  # hashing leaves the interpreter's lock
        found = list(pool.map(conditions_of, listed, chunksize=64))
    kept = [
        record
        for record, conditions in zip(listed, found, strict=True)
        if all(each is not Condition.DAMAGED for _, each in conditions)
    ]
    edits, damaged = (
        [path for conditions in found for path, each in conditions if each is wanted]
        for wanted in (Condition.EDITED, Condition.DAMAGED)
    )
    return kept, edits, damaged


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
