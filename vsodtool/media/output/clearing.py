"""Clearing an output folder of what the tool wrote there, or of what killed runs left; of nothing else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from vsodtool.media.atomic import disk_errors
from vsodtool.media.atomic import remove_leftovers as remove_temporary_files
from vsodtool.media.output.edits import Resized, find_edits, find_resized, keep_edit, keep_resized
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.lock import probe
from vsodtool.media.output.manifest import CLEARING, Manifest, write_manifest
from vsodtool.media.output.own_files import lies_in_own_folder, read_own
from vsodtool.media.output.tables.objects_csv import is_objects_csv
from vsodtool.media.output.written import read_written
from vsodtool.media.spill import FrameSpill


@dataclass(frozen=True)
class Cleared:
    """What is taken away, or would be.

    Attributes:
        root: the output folder.
        edits: masks that somebody drew on, which are moved to the corrections.
        resized: masks that somebody saved in another size, which are moved beside them.
        written: what is listed as written and still there, without these.
        state: what says what was done: tables, lists, journals, names of objects.
        folders: where all of this lies, or lay; they go if nothing else is in them.
        aside: where the resized ones lie now, once they are moved.
    """

    root: Path
    edits: Sequence[Path]
    written: Sequence[Path]
    state: Sequence[Path]
    folders: Sequence[Path]
    resized: Sequence[Resized] = ()
    aside: Mapping[Path, Resized] = field(default_factory=dict)

    def __str__(self) -> str:
        """How many files of which folders, and the names of the others."""
        folders = Counter(path.relative_to(self.root).parts[0] for path in self.written)
        names = sorted(path.name for path in self.state)
        shown = ", ".join([*(f"{count} in {name}" for name, count in sorted(folders.items())), *names])
        count = len(self.written) + len(self.state)
        return f"{'1 file' if count == 1 else f'{count} files'} of an earlier run: {shown}" if count else ""


def find_cleared(layout: OutputLayout) -> Cleared:
    """What `clear` would take away; reads only.

    Raises:
        DataError: a state file is a link.
        DeviceError: the disk fails.
    """
    edits = find_edits(layout)
    names = read_written(layout).files
    resized = find_resized(layout, names)
    kept = {*edits, *(each.path for each in resized)}
    listed = [path for name in names if lies_in_own_folder(layout, path := layout.root / name)]
    folders = {folder for path in listed for folder in path.parents if layout.root in folder.parents}
    state = [*layout.journals(), layout.written, layout.frames_csv]
    if is_objects_csv(layout.objects_csv):
        state.append(layout.objects_csv)
    if _has_keys(layout.suggestions, "version", "hidden"):
        state.append(layout.suggestions)
    if holds_object_names(layout):
        state.append(layout.objects)
    return Cleared(
        layout.root,
        edits,
        [path for path in listed if path not in kept and path.is_file() and not path.is_symlink()],
        [path for path in state if path.exists()],
        sorted(folders, key=lambda folder: len(folder.parts), reverse=True),
        resized,
    )


def holds_object_names(layout: OutputLayout) -> bool:
    """Whether OUT/objects.json is the tool's."""
    return _has_keys(layout.objects, "format", "source", "videos")


def clear(layout: OutputLayout, manifest: Manifest) -> tuple[list[Path], Cleared]:
    """Delete what the tool wrote there, for a run that begins anew; only while no other run writes there.

    Masks that somebody drew on are moved to the corrections before anything is deleted; files that the tool
    did not write stay.

    Returns:
        Where the edited masks lie now, and what was taken away.

    Raises:
        DataError: a state file is a link.
        DeviceError: something cannot be moved or deleted.
    """
    cleared = find_cleared(layout)
    moved = [keep_edit(layout, path) for path in cleared.edits]
    cleared = replace(cleared, aside=keep_resized(layout, cleared.resized))
    # Marked first: if this is killed half way, the next run knows that what is left counts for nothing.
    write_manifest(layout.manifest, replace(manifest, status=CLEARING))
    # `pseudolabel` has its ids from there, and writes or deletes it: a run killed here must not lose them.
    left = {layout.objects} if manifest.command == "pseudolabel" else set()
    for path in {*cleared.written, *cleared.state} - left:
        with disk_errors(path):
            path.unlink(missing_ok=True)
    for folder in cleared.folders:
        with disk_errors(folder):
            if folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir()):
                folder.rmdir()
    return moved, cleared


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


def _has_keys(path: Path, *names: str) -> bool:
    """Whether a file is the JSON that the tool writes there; what is damaged counts as somebody else's."""
    data = read_own(path) if path.is_file() else None
    try:
        content = json.loads(data or b"null")
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and set(names) <= content.keys()
