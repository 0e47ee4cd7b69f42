"""Clearing an output folder of what the tool wrote there, or of what killed runs left; of nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vsodtool.media.atomic import disk_errors
from vsodtool.media.atomic import remove_leftovers as remove_temporary_files
from vsodtool.media.output.edits import keep_edit
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.lock import probe
from vsodtool.media.output.manifest import CLEARING, Manifest, write_manifest
from vsodtool.media.output.objects_csv import write_objects_csv
from vsodtool.media.output.own_files import lies_in_own_folder
from vsodtool.media.output.stamps import Condition, known_condition
from vsodtool.media.output.written import read_written
from vsodtool.media.spill import FrameSpill


def clear(layout: OutputLayout, manifest: Manifest) -> list[Path]:
    """Delete what the tool wrote there, for a run that begins anew; only while no other run writes there.

    Masks that somebody drew on are moved to the corrections before anything is deleted; files that the tool
    did not write stay.

    Returns:
        Where the edited masks lie now.

    Raises:
        DataError: a state file is a link.
        DeviceError: something cannot be moved or deleted.
    """
    files = read_written(layout).files
    conditions = {
        path: known_condition(layout, path, files)
        for path in (layout.root / name for name in files)
        if lies_in_own_folder(layout, path)
    }
    moved = [keep_edit(layout, path) for path, each in conditions.items() if each is Condition.EDITED]
    # Marked first: if this is killed half way, the next run knows that what is left counts for nothing.
    write_manifest(layout.manifest, replace(manifest, status=CLEARING))
    own = [
        path for path, each in conditions.items() if each is not Condition.EDITED and not path.is_symlink()
    ]
    for path in own:
        with disk_errors(path):
            path.unlink(missing_ok=True)
    for path in (*layout.journals(), layout.written, layout.frames_csv, layout.suggestions):
        with disk_errors(path):
            path.unlink(missing_ok=True)
    write_objects_csv(layout.objects_csv, [])
    folders = {folder for path in conditions for folder in path.parents if layout.root in folder.parents}
    for folder in sorted(folders, key=lambda folder: len(folder.parts), reverse=True):
        with disk_errors(folder):
            if folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir()):
                folder.rmdir()
    return moved


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
