"""Masks that somebody drew on in OUT/masks, which an update takes as corrections."""

from __future__ import annotations

from vsodtool.media.output.edits import find_edits, take_over_edits
from vsodtool.pipelines.running.runs import Run
from vsodtool.types import Event


def take_edits(run: Run, *, dry_run: bool) -> bool:
    """Take them over into the corrections and tell of it.

    Args:
        run: whose output it is.
        dry_run: only tell.

    Returns:
        Whether any were taken.
    """
    edits = find_edits(run.layout)
    if not edits:
        return False
    moved = edits if dry_run else take_over_edits(run.layout)
    what = "1 mask that was" if len(moved) == 1 else f"{len(moved)} masks that were"
    shown = ", ".join(str(path.relative_to(run.layout.root)) for path in moved[:3])
    more = f" and {len(moved) - 3} more" if len(moved) > 3 else ""
    verb = "would be taken" if dry_run else "taken"
    run.on_event(Event("notice", message=f"{what} edited by hand {verb} into the corrections: {shown}{more}"))
    return not dry_run
