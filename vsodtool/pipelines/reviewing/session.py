"""All that one review knows: the folder, its frames and masks, what people said, and the worker."""

from __future__ import annotations

import hashlib
import re
import tempfile
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from vsodtool.config.void import AUTO
from vsodtool.errors import DataError, UsageError, VsodtoolError
from vsodtool.media.annotations.objects import ObjectInfo
from vsodtool.media.output.edits import find_edits
from vsodtool.media.output.manifest import COMPLETE, Manifest
from vsodtool.media.video.browser_frames import BrowserFrames
from vsodtool.pipelines.reviewing.first_labels import next_command
from vsodtool.pipelines.reviewing.folder import DRAWN, ReviewedVideo, ReviewFolder
from vsodtool.pipelines.reviewing.masks import VideoMasks
from vsodtool.pipelines.reviewing.notes import Notes
from vsodtool.pipelines.reviewing.rerun import IDLE, RUNNING, Rerun, Updater
from vsodtool.pipelines.reviewing.shared_folder import SharedFolder
from vsodtool.types import FrameRecord, FrameStatus, Size

# Of objects that have none of their own: bright, and the first of them rare in what is filmed.
COLORS = (
    "#ff4fc3", "#21d4fd", "#ffb02e", "#a98bff", "#7dff8a", "#ffe14d",
    "#ff8a5c", "#5b8cff", "#3cf0c5", "#ff9ec7", "#b6ff3c", "#e8e8ff",
)  # fmt: skip
Suggested = Mapping[str, Collection[int]]
"""Indices of frames by the name of their video."""
_COLOR = re.compile("#[0-9a-fA-F]{6}")
_STATUS = {FrameStatus.GIVEN: 0, FrameStatus.GENERATED: 1, FrameStatus.SKIPPED: 2}


class OpenVideo:
    """One video that somebody looks at: its size, its frames, its masks."""

    def __init__(
        self,
        folder: ReviewFolder,
        video: ReviewedVideo,
        rows: list[FrameRecord],
        added: tuple[ObjectInfo, ...],
        *,
        frames: Path,
        shared: SharedFolder,
    ) -> None:
        self.video = video
        self.size: Size = video.source.size
        self.frames = BrowserFrames(video.source, frames)
        known = [*video.objects.values(), *added]
        drawn = folder.command == DRAWN
        manifest = folder.manifest()
        void = AUTO if manifest is None else manifest.void
        self.masks = VideoMasks(
            folder.layout, video.name, self.size, rows, known, shared=shared, drawn=drawn, void=void
        )

    def as_dict(self) -> dict[str, Any]:
        """In JSON types."""
        return {
            "height": self.size[0],
            "width": self.size[1],
            "fps": self.video.source.fps,
            "objects": [object_dict(info) for info in self.masks.objects],
            "closed": self.masks.closed,
        }


class Session:
    """A review of one folder. Callable from several threads; use it in a `with` block."""

    def __init__(
        self,
        folder: ReviewFolder,
        *,
        read_only: bool = False,
        updater: Callable[[], Updater] | None = None,
        suggest: Callable[[], Suggested] = dict,
        ended: Callable[[], None] = lambda: None,
        note: str = "",
    ) -> None:
        """Begin.

        Args:
            folder: what is looked at.
            read_only: refuse every write.
            updater: makes what makes labels again; None where that cannot be done.
            suggest: the frames to label next, asked anew when the labels have changed.
            ended: called, in another thread, after each time that labels were made.
            note: what people are to know of the folder, "" if nothing.
        """
        self.folder = folder
        self.name = _name(folder)
        self._shared = SharedFolder(folder.layout, [video.name for video in folder.videos])
        self.notes = Notes(folder.layout, self._shared)
        self.read_only = read_only
        self.rerun = None if updater is None or read_only else Rerun(updater, self._made)
        self._ended = ended
        self._note = note
        self._lock = threading.Lock()
        self._revision = 0
        self._open: dict[int, OpenVideo] = {}
        self._opening = threading.Lock()
        self._reading = threading.Lock()
        self._rows: tuple[object, dict[str, list[FrameRecord]]] = (None, {})
        self._suggest = suggest
        self._suggested: tuple[object, Suggested] = (None, {})
        self._stack = ExitStack()

    def __enter__(self) -> Session:
        self._temporary = Path(
            self._stack.enter_context(tempfile.TemporaryDirectory(prefix="vsodtool-review-"))
        )
        if self.rerun is not None and self._corrections():
            self.rerun.look()
        elif self.rerun is not None:
            self.rerun.look_if(lambda: bool(find_edits(self.folder.layout)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.rerun is not None:
            self.rerun.close()
        for video in self._open.values():
            video.frames.close()
        self._stack.close()

    def prepare(self) -> None:
        """Read what the page asks for first, while the browser starts; what is wrong is told when it asks."""
        with suppress(VsodtoolError):
            self.state()
            self.video(0)

    def changed(self) -> dict[str, str]:
        """Something that the state tells is not as it was.

        Returns:
            The revision before that, and after: who knew the one before and hears of this knows all.
        """
        stamp = self._known()
        with self._lock:
            self._revision += 1
            others = self._shared.changes
            return {
                "before": _told(self._revision - 1, others, stamp),
                "revision": _told(self._revision, others, stamp),
            }

    def _made(self) -> None:
        self.changed()
        self._ended()

    def rows(self) -> dict[str, list[FrameRecord]]:
        """What frames.csv says now, by video.

        Raises:
            DataError: it is damaged, or of other frames than those that are shown.
        """
        stamp = self._stamp()
        with self._reading:
            if self._rows[0] != stamp:
                rows = self.folder.rows()
                for video in self.folder.videos:
                    if [row.frame for row in rows.get(video.name, ())] != video.names:
                        table = self.folder.layout.frames_csv
                        raise DataError(
                            f"{table}: expected the frames of '{video.name}', found others",
                            "end the page and open it again: another run has written to the folder",
                        )
                self._rows = stamp, rows
            return self._rows[1]

    def _stamp(self) -> object:
        """Of frames.csv as it lies there; what was read last where another run has put it away."""
        try:
            status = self.folder.layout.frames_csv.stat()
        except OSError:
            return self._rows[0]
        return status.st_mtime_ns, status.st_size

    def _known(self) -> object:
        """Of frames.csv as the page is to know it: labels made here are told of when all are there."""
        running = self.rerun is not None and self.rerun.progress.state == RUNNING
        return self._rows[0] if running else self._stamp()

    def video(self, number: int) -> OpenVideo:
        """A video, opened when it is asked for first.

        Raises:
            IndexError: there is none of this number.
            DataError: it cannot be read.
        """
        if not 0 <= number < len(self.folder.videos):
            raise IndexError(number)
        with self._opening:
            if number not in self._open:
                video = self.folder.videos[number]
                frames = self._temporary / str(number)
                frames.mkdir(exist_ok=True)  # an attempt before may have failed
                added, rows = self._added(video.name), self.rows()[video.name]
                self._open[number] = OpenVideo(
                    self.folder, video, rows, added, frames=frames, shared=self._shared
                )
            return self._open[number]

    def describe(self, number: int) -> dict[str, Any]:
        """A video in JSON types, with the objects that another server has added since.

        Raises:
            IndexError: there is none of this number.
            DataError: it cannot be read.
        """
        video = self.video(number)
        video.masks.know(self._added(video.video.name))
        return video.as_dict()

    def _added(self, video: str) -> tuple[ObjectInfo, ...]:
        said = self.notes.read().get(video)
        return said.objects if said is not None else ()

    def why_read_only(self) -> str:
        """Why nothing can be written now, for people; "" if it can."""
        if self.read_only:
            return "the page was opened with --read-only"
        if self.rerun is not None and self.rerun.progress.state == RUNNING:
            return ""
        return self.folder.writer()

    def saved(self) -> dict[str, str]:
        """A mask has changed: as `changed`."""
        told = self.changed()
        if self.rerun is not None:
            self.rerun.look()
        return told

    def add_object(self, number: int, name: str) -> ObjectInfo:
        """A new object of a video.

        Raises:
            UsageError: there is no room for one, or the name is taken.
            DeviceError: it cannot be noted.
        """
        video = self.video(number)
        info = self.notes.add_object(video.video.name, lambda others: video.masks.new(name, others))
        video.masks.know([info])
        return info

    def state(self) -> dict[str, Any]:
        """All frames of all videos, and what is known of them, in JSON types."""
        self.rows()  # while labels are made, what was read of them is what is told
        progress = self.progress()  # before the rest is read: what changes meanwhile is told again
        manifest = self.folder.manifest()
        rows, said = self.rows(), self.notes.read()
        corrected = self._corrections()
        suggested = self._next(manifest)
        videos = []
        for video in self.folder.videos:
            place = {name: index for index, name in enumerate(video.names)}
            notes = said[video.name].frames if video.name in said else {}
            choice = manifest.choices.get(video.name) if manifest is not None else None
            method = (
                choice.method
                if choice is not None
                else str(manifest.config.get("method", ""))
                if manifest
                else ""
            )
            videos.append(
                {
                    "name": video.name,
                    "method": method,
                    "hiddenJ": choice.hidden_j.get(choice.method) if choice is not None else None,
                    "frames": [
                        [
                            row.frame,
                            _STATUS[row.status],
                            round(row.confidence, 4),
                            place.get(row.left, -1),
                            place.get(row.right, -1),
                        ]
                        for row in rows[video.name]
                    ],
                    "corrected": sorted(
                        place[name] for name in corrected.get(video.name, ()) if name in place
                    ),
                    "suggested": sorted(
                        index
                        for index in suggested.get(video.name, ())
                        if video.names[index] not in corrected.get(video.name, ())
                    ),
                    "flags": {
                        str(place[name]): [note.flag, note.note]
                        for name, note in notes.items()
                        if name in place
                    },
                    "confidenceMaps": (self.folder.layout.root / "confidence" / video.name).is_dir(),
                }
            )
        return {
            "folder": self.name,
            "title": self.folder.layout.root.resolve().name,
            "command": self.folder.command,
            "canRerun": self.rerun is not None,
            "next": next_command(self.folder),
            "note": self._note,
            "videos": videos,
            **progress,
        }

    def progress(self) -> dict[str, Any]:
        """What changes while the page is open, in JSON types."""
        if self._shared.look() and self.rerun is not None:
            self.rerun.look()
        stamp = self._known()
        with self._lock:
            revision = _told(self._revision, self._shared.changes, stamp)
        told: dict[str, Any] = {"readOnly": self.why_read_only(), "stale": [], "rerun": {"state": IDLE}}
        if self.rerun is not None:
            progress = self.rerun.progress
            told["stale"] = [[each.video, each.left, each.right, each.frames] for each in progress.stale]
            told["rerun"] = {
                "state": progress.state,
                "done": progress.done,
                "total": progress.total,
                "message": progress.message,
                "error": progress.error,
                "hint": progress.hint,
                "runs": progress.runs,
            }
        return {**told, "revision": revision}

    def check_writable(self) -> None:
        """Refuse a write where nothing may be written.

        Raises:
            UsageError: with the reason.
        """
        reason = self.why_read_only()
        if reason:
            raise UsageError(f"read-only: {reason}", "wait, or open the page without --read-only")

    def _next(self, manifest: Manifest | None) -> Suggested:
        """The frames to label next; none while labels are made again."""
        if manifest is None or manifest.status != COMPLETE:
            return {}
        with self._reading:
            stamp = self._rows[0]
            if self._suggested[0] != stamp:
                self._suggested = stamp, self._suggest()
            return self._suggested[1]

    def _corrections(self) -> dict[str, set[str]]:
        """Names of the corrected frames by video."""
        folder = self.folder.layout.corrections
        return {
            video.name: {path.stem for path in (folder / video.name).glob("*.png")}
            for video in self.folder.videos
            if (folder / video.name).is_dir()
        }


def _name(folder: ReviewFolder) -> str:
    """What a page knows its folder by: another server may come to its address."""
    text = f"{folder.layout.root.resolve()}\n{folder.command}"
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _told(revision: int, others: int, stamp: object) -> str:
    """What the page compares: changes made through this server and by others, and frames.csv."""
    return str([revision, others, stamp])


def object_dict(info: ObjectInfo) -> dict[str, Any]:
    """An object in JSON types, with the colour that it is shown in."""
    color = info.color if _COLOR.fullmatch(info.color) else COLORS[(info.id - 1) % len(COLORS)]
    return {"id": info.id, "name": info.name, "color": color}
