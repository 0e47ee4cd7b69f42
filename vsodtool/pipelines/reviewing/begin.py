"""A folder for the first masks of videos that nothing was run on: `review VIDEO`.

It looks like an output folder whose frames are all generated, with confidence 0 and without masks.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vsodtool.errors import DataError, UsageError
from vsodtool.media.output.layout import OutputLayout, check_export
from vsodtool.media.output.manifest import read_manifest, write_manifest
from vsodtool.media.output.resume import describe_run
from vsodtool.media.output.tables.frames_csv import write_frames_csv
from vsodtool.media.video.frame_names import check_frame_names
from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.ops.suggesting.spacing import inset
from vsodtool.pipelines.reviewing.folder import DRAWN, ReviewFolder
from vsodtool.types import FrameRecord, FrameStatus


def begin_folder(source: Path, root: Path) -> None:
    """Make a folder for the masks of a video, or of a folder of videos; one that was begun before is kept.

    Videos that have come since are added to it.

    Args:
        source: the video.
        root: the folder.

    Raises:
        UsageError: there is something else in the folder, it lies inside the video's, or the source is a
            folder without any video.
        DataError: the video cannot be read.
        DeviceError: the folder cannot be written.
    """
    try:
        videos = discover_videos([str(source)])
    except DataError as error:
        if not source.is_dir():
            raise
        raise UsageError(
            f"{source}: expected an output folder of pseudolabel or predict, or a video, found neither",
            "give the folder that was named with -o",
        ) from error
    layout, config = OutputLayout(root), {"inputs": [str(source)], "output": str(root)}
    wanted = describe_run(DRAWN, config, videos, {})
    there = read_manifest(layout.manifest)
    grows = False
    if there is not None and there.command == DRAWN and there.inputs:  # none of another version
        if there.inputs == wanted.inputs:
            return
        grows = there.inputs.items() <= wanted.inputs.items()
    if not grows and (there is not None or (root.is_dir() and any(root.iterdir()))):
        raise UsageError(
            f"{root}: expected a new folder for the masks of {source}, found another's", "name one with -o"
        )
    check_export(root, [source])
    check_frame_names(videos)
    rows = [
        FrameRecord(video.name, name, FrameStatus.GENERATED, "", "", 0.0)
        for video in videos
        for name in open_frames(video).names
    ]
    root.mkdir(parents=True, exist_ok=True)
    write_frames_csv(layout.frames_csv, rows)
    write_manifest(layout.manifest, wanted.completed(rows, 0.0))


def first_frames(folder: ReviewFolder, count: int) -> dict[str, Sequence[int]]:
    """The frames of each video to draw first: equally spaced, a third of a gap from both ends."""
    return {video.name: inset(len(video.names), count) for video in folder.videos}
