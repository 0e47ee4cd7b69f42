"""What the objects of an output folder are called: by its annotation files, and on the review page."""

from __future__ import annotations

from pathlib import Path

from vsodtool.media.annotations.label_images import read_objects_json
from vsodtool.media.annotations.objects import ObjectInfo
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.review_notes import read_notes


def read_object_names(layout: OutputLayout) -> dict[str, dict[int, ObjectInfo]]:
    """Video -> id -> object, of OUT/objects.json and of those that were added on the page.

    Raises:
        DataError: one of the files is damaged.
    """
    named = read_objects_json(layout.objects)
    for video, added in read_added_objects(layout).items():
        named[video] = {**named.get(video, {}), **{info.id: info for info in added}}
    return named


def read_added_objects(layout: OutputLayout) -> dict[str, tuple[ObjectInfo, ...]]:
    """Video -> the objects that were added on the review page; {} where it wrote nothing.

    Raises:
        DataError: its file is damaged.
    """
    return read_noted_objects(layout.notes)


def read_noted_objects(path: Path) -> dict[str, tuple[ObjectInfo, ...]]:
    """The same of the file itself, which lies beside masks that were drawn on the page.

    Raises:
        DataError: it is damaged.
    """
    return {video: of_video.objects for video, of_video in read_notes(path).items()}
