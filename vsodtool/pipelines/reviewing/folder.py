"""The OUT folder that is looked at: what ran there, its frames, and the inputs that they came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vsodtool.errors import DataError, UsageError
from vsodtool.media.annotations.label_images import read_objects_json
from vsodtool.media.annotations.objects import ObjectInfo
from vsodtool.media.output.finished_run import read_run_of, unfinished
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.lock import Holding, probe
from vsodtool.media.output.manifest import COMPLETE, UPDATING, Manifest, read_manifest
from vsodtool.media.output.tables.frames_csv import read_rows_by_video
from vsodtool.media.video.frames import FrameSource, open_frames
from vsodtool.pipelines.running.earlier_inputs import changed_input, find_input
from vsodtool.types import FrameRecord

DRAWN = "review"  # begun by `review VIDEO`: there are no masks but those that are drawn
COMMANDS = ("pseudolabel", "predict", DRAWN)


@dataclass(frozen=True)
class ReviewedVideo:
    """One video of the folder.

    Attributes:
        name: of the video.
        source: its frames.
        names: of the frames, in order.
        objects: what objects.json calls them, by id.
    """

    name: str
    source: FrameSource
    names: list[str]
    objects: dict[int, ObjectInfo]


@dataclass(frozen=True)
class ReviewFolder:
    """An output folder that can be looked at.

    Attributes:
        layout: its paths.
        command: pseudolabel, predict or review.
        videos: those to show, in the order of frames.csv.
    """

    layout: OutputLayout
    command: str
    videos: list[ReviewedVideo]

    def rows(self) -> dict[str, list[FrameRecord]]:
        """What frames.csv says now, by video.

        Raises:
            DataError: it is damaged.
        """
        return read_rows_by_video(self.layout.frames_csv)

    def manifest(self) -> Manifest | None:
        """What the manifest says now.

        Raises:
            DataError: it is damaged.
        """
        return read_manifest(self.layout.manifest)

    def writer(self) -> str:
        """What keeps others from writing here, for people; "" if nothing does."""
        return _writer(self.layout)


def open_folder(root: Path, video: str = "") -> ReviewFolder:
    """Open an output folder of `pseudolabel` or `predict` to look at.

    One that a run is writing to is opened if it has a table of frames from before.

    Args:
        root: the folder.
        video: show only this one; all if "".

    Raises:
        UsageError: it is no output folder, or of another command or version.
        DataError: the run is not finished, an input has gone or changed, or there is no such video.
    """
    layout = OutputLayout(root)
    manifest = read_run_of(layout, COMMANDS)
    if not manifest.inputs:
        raise UsageError(f"{root} was made by vsodtool {manifest.version}", "run its command again")
    _refuse_unfinished(layout, manifest)
    rows = read_rows_by_video(layout.frames_csv)
    if video and video not in rows:
        raise DataError(
            f"{root}: expected the video '{video}', found {', '.join(list(rows)[:5])}",
            "check the name given with --video",
        )
    names = [video] if video else list(rows)
    objects = read_objects_json(layout.objects)
    videos = []
    for name in names:
        source = open_frames(find_input(root, manifest, name))
        frames = [row.frame for row in rows[name]]
        if list(source.names) != frames:
            raise changed_input(root, name, source.video.path)
        videos.append(ReviewedVideo(name, source, frames, objects.get(name, {})))
    return ReviewFolder(layout, manifest.command, videos)


def _refuse_unfinished(layout: OutputLayout, manifest: Manifest) -> None:
    """A run that was finished once and is being made again may be looked at; one that never was may not.

    An update that was interrupted may be looked at, too: the page's button completes it.
    """
    shown = layout.frames_csv.is_file() and (manifest.status == UPDATING or _writer(layout))
    if manifest.status == COMPLETE or shown:
        return
    at_work = _writer(layout)
    hint = "a run is writing there: wait until it is done" if at_work else "run its command again first"
    raise unfinished(layout, hint)


def _writer(layout: OutputLayout) -> str:
    held = [path for path in (layout.lock, *layout.shard_locks().values()) if _is_held(path)]
    return "another run is writing to this folder" if held else ""


def _is_held(path: Path) -> bool:
    return probe(path) is Holding.HELD
