"""Start a run in an output folder, or continue the one that was interrupted there.

What decides is the manifest. The same command, options, inputs, masks and weights continue; anything else is
refused unless the user says --overwrite, which clears what the tool wrote there and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from vsodtool.errors import DataError, UsageError
from vsodtool.media.atomic import disk_errors
from vsodtool.media.fingerprint import Input, content_fingerprint, input_fingerprint
from vsodtool.media.output.changes import refuse_changes
from vsodtool.media.output.clearing import Cleared, clear, remove_leftovers
from vsodtool.media.output.earlier_run import FrameNames, OutputsOf, find_earlier
from vsodtool.media.output.edits import keep_resized
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
from vsodtool.media.output.own_files import refuse_linked_folders
from vsodtool.media.output.run_state import ResumeState
from vsodtool.media.output.written import keep_journals, remove_journals

_DIVISION = frozenset({"shard", "engine", "ray_address"})  # options that say who does which part


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
        update: it makes some labels of a complete run again; masks may have changed and videos come.

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
            "run the command without --update first, with the videos and masks that it was begun with",
        )
    return before


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
        update: continue although masks changed or videos came since; the caller knows which frames that
            concerns.
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
        aside = keep_resized(layout, earlier.resized)
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
            layout=layout,
            manifest=manifest,
            journal=journal,
            resumed=before is not None,
            complete=complete,
            edits=earlier.edits,
            moved=moved,
            cleared=cleared,
            aside=cleared.aside if cleared is not None else aside,
            _outputs_of=outputs_of,
            _files=earlier.files,
            _earlier=earlier.frames,
            _choices=dict(earlier.choices),
            _cuts=dict(earlier.cuts),
            _lock=lock,
        )
    except BaseException:
        lock.release()
        raise


def _same_masks(before: Manifest, now: Manifest) -> bool:
    """Of all videos; one that is new has none of before."""
    return all(
        name in before.inputs and before.inputs[name].masks_sha256 == entry.masks_sha256
        for name, entry in now.inputs.items()
    )
