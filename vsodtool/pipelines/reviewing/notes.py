"""Saying something of frames: OUT/corrections/review.json is changed, under a lock."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from vsodtool.errors import DataError
from vsodtool.media.annotations.objects import ObjectInfo
from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.review_notes import (
    LONGEST_NOTE,
    Note,
    VideoNotes,
    notes_json,
    parse_notes,
    read_notes,
)
from vsodtool.media.regular_file import read_regular
from vsodtool.pipelines.reviewing.shared_folder import SharedFolder

_SECONDS = len("2026-11-29T12:00:00")


class Notes:
    """The file. Read anew each time, so that two servers see each other's; written under a lock."""

    def __init__(
        self,
        layout: OutputLayout,
        shared: SharedFolder | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.path = layout.notes
        self._shared = SharedFolder(layout) if shared is None else shared
        self._clock = clock

    def read(self) -> dict[str, VideoNotes]:
        """All that is there, by video.

        Raises:
            DataError: the file is damaged.
        """
        return read_notes(self.path)

    def set(
        self, video: str, frame: str, flag: str, note: str, before: tuple[str, str] | None = None
    ) -> Note:
        """Say something about a frame; nothing at all takes back what was said.

        Args:
            video: name of the video.
            frame: name of the frame.
            flag: of `FLAGS`, or "".
            note: a few words, or "".
            before: flag and note that were seen by whoever says this: what others have said since stays.
                None: whatever was said.

        Returns:
            What is said of the frame now.

        Raises:
            DataError: the file is damaged.
            DeviceError: it cannot be written.
        """
        with self._changing() as videos:
            of_video = videos.get(video, VideoNotes({}))
            there = of_video.frames.get(frame, Note())
            if before is not None:
                flag, note = (
                    _both_flags(there.flag, flag, before[0]),
                    _both_notes(there.note, note, before[1]),
                )
            if (flag, note) == (there.flag, there.note):
                return there  # who said it, and when, stay
            said = Note(flag, note, _who(), self._clock().isoformat(timespec="seconds"))
            frames = {name: each for name, each in of_video.frames.items() if name != frame}
            if flag or note:
                frames[frame] = said
            videos[video] = replace(of_video, frames=frames)
        return said

    def add_object(self, video: str, make: Callable[[Sequence[ObjectInfo]], ObjectInfo]) -> ObjectInfo:
        """Remember an object that is added.

        Args:
            video: name of the video.
            make: makes it, from those that were added before, here or by another server.

        Raises:
            DataError: the file is damaged.
            DeviceError: it cannot be written.
        """
        with self._changing() as videos:
            of_video = videos.get(video, VideoNotes({}))
            info = make(of_video.objects)
            videos[video] = replace(of_video, objects=(*of_video.objects, info))
        return info

    def take(self, file: Path, frames: Mapping[str, list[str]]) -> int:
        """Take over what was said in a page that was passed on (`--import`); of how many frames.

        What was said here of such a frame since counts, as it is newer.

        Args:
            file: as the page saves it.
            frames: the frames of each video here.

        Raises:
            DataError: it is no such file, or about other videos or frames.
            DeviceError: it cannot be written.
        """
        try:
            found = parse_notes(read_regular(file), file)
        except OSError as error:
            raise DataError(f"cannot read {file}: {error.strerror or error}", "check the path") from error
        for video, of_video in found.items():
            strange = next((name for name in of_video.frames if name not in frames.get(video, ())), None)
            if strange is not None:
                raise DataError(
                    f"{file}: expected frames of this folder, found frame '{strange}' of video '{video}'",
                    "give the file to the OUT folder that the page was made of",
                )
        with self._changing() as videos:
            taken = 0
            for video, of_video in found.items():
                here = videos.get(video, VideoNotes({}))
                news = {
                    name: note
                    for name, note in of_video.frames.items()
                    if not _is_newer(here.frames.get(name), note)
                }
                said = {
                    name: note for name, note in {**here.frames, **news}.items() if note.flag or note.note
                }
                videos[video] = replace(here, frames=said)  # without what was taken back
                taken += len(news)
        return taken

    @contextmanager
    def _changing(self) -> Iterator[dict[str, VideoNotes]]:
        """Lend what is there; it is written when the block ends well."""
        with self._shared.changing():
            videos = self.read()
            yield videos
            write_bytes_atomically(self.path, notes_json(videos))


def _is_newer(here: Note | None, theirs: Note) -> bool:
    """By the second; both are in UTC. What has no time, as a person writes it, is taken as new."""
    return here is not None and bool(theirs.when) and here.when[:_SECONDS] > theirs.when[:_SECONDS]


def _both_flags(there: str, said: str, before: str) -> str:
    """A verdict that somebody gave meanwhile stays until it was seen."""
    return said if said != before and there in (before, said) else there


def _both_notes(there: str, said: str, before: str) -> str:
    """Of two notes on one frame that did not know of each other, both."""
    if said == before:
        return there
    if there in (before, ""):
        return said
    return there if said in there else f"{there} / {said}"[:LONGEST_NOTE]


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in some containers
        return ""
