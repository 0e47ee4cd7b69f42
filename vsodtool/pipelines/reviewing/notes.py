"""Saying something of frames: OUT/corrections/review.json is changed, under a lock."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from vsodtool.errors import DataError
from vsodtool.media.annotations.objects import ObjectInfo
from vsodtool.media.atomic import disk_errors, write_bytes_atomically
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.lock import OutputLock
from vsodtool.media.output.review_notes import Note, VideoNotes, notes_json, parse_notes, read_notes
from vsodtool.media.regular_file import read_regular

_SECONDS = len("2026-11-29T12:00:00")


class Notes:
    """The file. Read anew each time, so that two servers see each other's; written under a lock."""

    def __init__(
        self, layout: OutputLayout, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.path = layout.notes
        self._clock = clock

    def read(self) -> dict[str, VideoNotes]:
        """All that is there, by video.

        Raises:
            DataError: the file is damaged.
        """
        return read_notes(self.path)

    def set(self, video: str, frame: str, flag: str, note: str) -> Note:
        """Say something about a frame; nothing at all takes back what was said.

        Raises:
            DeviceError: it cannot be written.
        """
        said = Note(flag, note, _who(), self._clock().isoformat(timespec="seconds"))
        with self._changing() as videos:
            of_video = videos.get(video, VideoNotes({}))
            frames = {name: each for name, each in of_video.frames.items() if name != frame}
            if flag or note:
                frames[frame] = said
            videos[video] = replace(of_video, frames=frames)
        return said

    def add_object(self, video: str, info: ObjectInfo) -> None:
        """Remember an object that was added.

        Raises:
            DeviceError: it cannot be written.
        """
        with self._changing() as videos:
            of_video = videos.get(video, VideoNotes({}))
            videos[video] = replace(of_video, objects=(*of_video.objects, info))

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
        with disk_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = OutputLock(self.path.with_name(".review.lock"), wait=True)
        try:
            videos = self.read()
            yield videos
            write_bytes_atomically(self.path, notes_json(videos))
        finally:
            lock.release()


def _is_newer(here: Note | None, theirs: Note) -> bool:
    """By the second; both are in UTC. What has no time, as a person writes it, is taken as new."""
    return here is not None and bool(theirs.when) and here.when[:_SECONDS] > theirs.when[:_SECONDS]


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in some containers
        return ""
