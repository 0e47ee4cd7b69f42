"""OUT/corrections/review.json as it is read and written: what was said of frames, objects that were added."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vsodtool.errors import DataError
from vsodtool.media.annotations.objects import ObjectInfo
from vsodtool.media.output.own_files import read_own

FLAGS = ("ok", "bad", "skip")
LONGEST_NOTE = 500
VERSION = 1


@dataclass(frozen=True)
class Note:
    """What somebody said about a frame.

    Attributes:
        flag: ok, bad, skip, or "" for none.
        note: a few words.
        who: the user's name.
        when: UTC, ISO 8601.
    """

    flag: str = ""
    note: str = ""
    who: str = ""
    when: str = ""


@dataclass(frozen=True)
class VideoNotes:
    """Of one video.

    Attributes:
        frames: by name.
        objects: that were added on the page.
        known: of a page that was passed on, what it came with and was not touched there.
    """

    frames: Mapping[str, Note]
    objects: tuple[ObjectInfo, ...] = ()
    known: Mapping[str, Note] = field(default_factory=dict)


def read_notes(path: Path) -> dict[str, VideoNotes]:
    """What a file says, by video; {} where there is none.

    Raises:
        DataError: it is damaged.
    """
    data = read_own(path)
    return {} if data is None else parse_notes(data, path)


def notes_json(videos: Mapping[str, VideoNotes]) -> bytes:
    """The content of review.json."""
    content: dict[str, Any] = {"version": VERSION, "videos": {}}
    for video, of_video in videos.items():
        content["videos"][video] = {
            "frames": {name: asdict(note) for name, note in of_video.frames.items()},
            "objects": [asdict(info) for info in of_video.objects],
        }
    text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    return text.encode("utf-8", "backslashreplace")


def parse_notes(data: bytes, path: Path) -> dict[str, VideoNotes]:
    """What `notes_json` wrote, or a page that was passed on.

    Raises:
        DataError: it is something else.
    """
    try:
        content = json.loads(data)
        if content["version"] != VERSION:
            raise ValueError(f"version {content['version']!r}")
        videos = {
            str(video): VideoNotes(
                {str(frame): _note(said) for frame, said in of_video["frames"].items()},
                tuple(map(_object, of_video.get("objects", ()))),
                {str(frame): _note(said) for frame, said in of_video.get("known", {}).items()},
            )
            for video, of_video in content["videos"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{path}: expected flags of the review page, found something else: {error!r:.120}",
            "restore the file, or move it away",
        ) from error
    return videos


def _note(said: Mapping[str, Any]) -> Note:
    flag, note = str(said.get("flag") or ""), str(said.get("note") or "")[:LONGEST_NOTE]
    if flag and flag not in FLAGS:
        raise ValueError(f"flag {flag!r}")
    return Note(flag, note, str(said.get("who", ""))[:100], str(said.get("when", ""))[:40])


def _object(entry: Mapping[str, Any]) -> ObjectInfo:
    return ObjectInfo(**{**entry, "id": int(str(entry["id"]))})
