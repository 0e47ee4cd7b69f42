"""The manifest of a finished run: what every command asks of an OUT folder that it begins from."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from vsodtool.errors import DataError, UsageError
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import COMPLETE, Manifest, read_manifest


def read_run_of(layout: OutputLayout, commands: Sequence[str]) -> Manifest:
    """The manifest of a run of one of these commands, finished or not.

    Raises:
        UsageError: there is none, or it is of another command.
        DataError: it is damaged.
    """
    manifest = read_manifest(layout.manifest)
    if manifest is None or manifest.command not in commands:
        found = "none" if manifest is None else f"one of {manifest.command}"
        raise UsageError(
            f"{layout.root}: expected an output folder of {_one_of(commands)}, found {found}",
            "give the folder that was named with -o",
        )
    return manifest


def read_finished_run(
    layout: OutputLayout, commands: Sequence[str], *, statuses: Collection[str] = (COMPLETE,)
) -> Manifest:
    """The manifest of a finished run of one of these commands.

    Args:
        layout: the output folder.
        commands: whose outputs will do.
        statuses: which count as finished.

    Raises:
        UsageError: there is none, or it is of another command.
        DataError: it is damaged, or the run is not finished.
    """
    manifest = read_run_of(layout, commands)
    if manifest.status not in statuses:
        raise unfinished(layout)
    return manifest


def unfinished(layout: OutputLayout, hint: str = "run its command again first") -> DataError:
    """What is raised for a run that has not come to its end."""
    return DataError(f"{layout.root}: expected a finished run, found an unfinished one", hint)


def _one_of(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last
