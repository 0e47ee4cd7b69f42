"""What is listed as written: by the journals, and by the list that a complete run keeps of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from vsodtool.media.atomic import disk_errors, write_bytes_atomically
from vsodtool.media.output.journal import Journal, journal_lines
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import read_manifest
from vsodtool.media.output.stamps import Stamp
from vsodtool.types import FrameRecord, MethodChoice


@dataclass(frozen=True)
class Written:
    """What is listed as written, a later line instead of an earlier one.

    Attributes:
        records: by video and name of the frame.
        files: by paths from the output folder.
        choices: the method of each video for which one was chosen.
        cuts: where the shots of each video begin for which they were found.
    """

    records: dict[tuple[str, str], FrameRecord] = field(default_factory=dict)
    files: dict[str, Stamp] = field(default_factory=dict)
    choices: dict[str, MethodChoice] = field(default_factory=dict)
    cuts: dict[str, list[int]] = field(default_factory=dict)


def read_written(layout: OutputLayout) -> Written:
    """What the list of a complete run and all journals say; reads only.

    Raises:
        DataError: a state file is a link.
        DeviceError: the disk fails.
    """
    written = Written()
    for path in (layout.written, *layout.journals()):
        journal = Journal(path, foreign=True)
        written.choices.update(journal.choices())
        written.cuts.update(journal.cuts())
        written.files.update(journal.files())
        for video in journal.videos():
            written.records.update({(video, name): each for name, each in journal.records(video).items()})
    return written


def keep_journals(layout: OutputLayout) -> None:
    """Make one list of what the journals and the list of an earlier run say; the journals may go then.

    Raises:
        DeviceError: it cannot be written.
    """
    written = read_written(layout)
    write_bytes_atomically(layout.written, journal_lines(written.records.values(), written.files))


def remove_journals(layout: OutputLayout) -> None:
    """Delete all journals: what they say stands in frames.csv and the manifest.

    Raises:
        DeviceError: one cannot be deleted.
    """
    for path in layout.journals():
        with disk_errors(path):
            path.unlink(missing_ok=True)


def read_records(layout: OutputLayout) -> dict[str, dict[str, FrameRecord]]:
    """All frames that are listed as written, by video and name; whether their files are so is not asked.

    Raises:
        DataError: a state file is a link.
        DeviceError: the disk fails.
    """
    found: dict[str, dict[str, FrameRecord]] = {}
    for record in read_written(layout).records.values():
        found.setdefault(record.video, {})[record.frame] = record
    return found


def read_found_cuts(layout: OutputLayout) -> dict[str, list[int]]:
    """Where the shots of videos begin, as the manifest and the journals say.

    Raises:
        UsageError, DataError: the manifest is not the tool's, or damaged; a state file is a link.
        DeviceError: the disk fails.
    """
    before = read_manifest(layout.manifest)
    return {**(before.cuts if before is not None else {}), **read_written(layout).cuts}
