"""The inputs of a run that is finished, found again by its manifest."""

from __future__ import annotations

from pathlib import Path

from vsodtool.errors import DataError
from vsodtool.media.fingerprint import input_fingerprint
from vsodtool.media.output.manifest import Manifest
from vsodtool.media.video.inputs import VideoInput, discover_videos


def start_folder(output: Path, manifest: Manifest) -> Path:
    """The folder in which a run was started, from which paths in its manifest count, as far as that is known.

    It is known where the run was given its output folder by a path that ends the real one. The folder that
    this process is in, Path(), where it is not.

    Args:
        output: the output folder.
        manifest: what lies there.
    """
    called = Path(str(manifest.config.get("output", "")))
    real = output.resolve()
    if not called.is_absolute() and called.parts and real.parts[-len(called.parts) :] == called.parts:
        return Path(*real.parts[: -len(called.parts)])
    return Path()


def find_input(output: Path, manifest: Manifest, name: str) -> VideoInput:
    """A video of a finished run: where the run was started, or as its path reads here.

    Args:
        output: the output folder.
        manifest: what lies there.
        name: of the video.

    Raises:
        DataError: it has gone or changed.
    """
    entry = manifest.inputs[name]
    given = Path(entry.path)
    there = (start_folder(output, manifest) / given, given)
    candidates = [path for path in dict.fromkeys(there) if path.exists()]
    if not candidates:
        raise DataError(
            f"{output}: expected its input '{name}' at {given}, found nothing there",
            "put it back, or start this in the folder in which the run was started",
        )
    for path in candidates:
        for video in discover_videos([str(path)]):
            if (len(video.files) or 1) == entry.files and input_fingerprint(video) == entry.fingerprint:
                return VideoInput(name, video.path, video.kind, video.files)
    raise changed_input(output, name, given)


def changed_input(output: Path, name: str, path: Path) -> DataError:
    """What is raised for a video of a finished run that is no longer what it was."""
    return DataError(
        f"the video '{name}' ({path}) has changed since {output} was made from it",
        "put the old one back, or make the labels again with --overwrite",
    )
