"""The finished frames of a run, one JSON object per line, appended as they finish.

A frame belongs here once its files have their final names, so a killed run redoes at most what is not listed.
Before it stand its files, with size and hash, so that the next run knows whether they are still so.
What was chosen for a video as a whole, and where its shots begin, stands there too. A shard of a run also
notes the videos of which nothing is left to do, with their counts for the manifest.
"""

from __future__ import annotations

import io
import json
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vsodtool.errors import DeviceError
from vsodtool.media.atomic import disk_errors
from vsodtool.media.output.own_files import open_own, read_own
from vsodtool.media.output.stamps import Stamp
from vsodtool.types import FrameRecord, FrameStatus, MethodChoice

# What a line that is none of the tool's, or no longer, raises.
_DAMAGE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)


class Journal:
    """Append-only list of frame records in a file; safe to use from several threads.

    The file is made by the first commit. A torn last line (the run was killed while writing it) is cut off; a
    line that cannot be read anywhere else counts as never written: the frame is simply made again. Of two
    lines about one frame the later one holds.
    """

    def __init__(self, path: Path, *, foreign: bool = False) -> None:
        """Read what is at `path`, if anything.

        Args:
            path: the file.
            foreign: another process may be writing it; it is only read.

        Raises:
            DataError: it is a link, or no file.
            DeviceError: the file exists and cannot be read or mended.
        """
        self._path, self._foreign = path, foreign
        self._lock = threading.Lock()
        self._records: dict[str, dict[str, FrameRecord]] = {}
        self._done: dict[str, dict[str, int]] = {}
        self._choices: dict[str, MethodChoice] = {}
        self._cuts: dict[str, list[int]] = {}
        self._files: dict[str, Stamp] = {}
        self._file: io.FileIO | None = None
        self._closed = foreign
        self._length = 0
        content = read_own(path)
        if content is not None:
            with disk_errors(path):
                self._load(content)

    def records(self, video: str) -> dict[str, FrameRecord]:
        """The records of one video by frame name, in the order of their commits (a copy)."""
        with self._lock:
            return dict(self._records.get(video, {}))

    def videos(self) -> list[str]:
        """The videos that have records."""
        with self._lock:
            return list(self._records)

    def done(self) -> dict[str, dict[str, int]]:
        """The videos of which nothing is left to do, with their counts (a copy)."""
        with self._lock:
            return dict(self._done)

    def choices(self) -> dict[str, MethodChoice]:
        """What was chosen, by video (a copy)."""
        with self._lock:
            return dict(self._choices)

    def cuts(self) -> dict[str, list[int]]:
        """Where the shots of videos begin, by video (a copy)."""
        with self._lock:
            return dict(self._cuts)

    def files(self) -> dict[str, Stamp]:
        """The files that were written, by their paths from the output folder (a copy)."""
        with self._lock:
            return dict(self._files)

    def file(self, path: str) -> Stamp | None:
        """One of these; None if none of that name was written."""
        with self._lock:
            return self._files.get(path)

    def choose(self, video: str, choice: MethodChoice) -> None:
        """Append what was chosen for a video, before anything is made by it.

        Raises:
            DeviceError: the disk is full or the journal is closed.
        """
        with self._lock:
            self._append(_choice_line(video, choice))
            self._choices[video] = choice

    def settle_cuts(self, video: str, cuts: Sequence[int]) -> None:
        """Append where the shots of a video begin, before anything is made by it.

        Raises:
            DeviceError: the disk is full or the journal is closed.
        """
        with self._lock:
            self._append(json.dumps({"cuts": video, "frames": list(cuts)}).encode() + b"\n")
            self._cuts[video] = list(cuts)

    def commit(
        self,
        records: Iterable[FrameRecord],
        done: Mapping[str, Mapping[str, int]] | None = None,
        files: Mapping[str, Stamp] | None = None,
    ) -> None:
        """Append `records` in one write; their files must already have their final names.

        Args:
            records: finished frames.
            done: videos of which nothing is left to do after these records, with their counts.
            files: what was written for them, by paths from the output folder.

        Raises:
            DeviceError: the disk is full or the journal is closed; then none of them is listed.
        """
        batch = list(records)
        videos = {video: dict(counts) for video, counts in (done or {}).items()}
        written = dict(files or {})
        lines = [_file_line(*item) for item in written.items()]
        data = b"".join([*lines, *map(_line, batch), *(_done_line(*item) for item in videos.items())])
        with self._lock:
            self._append(data)
            for record in batch:
                self._remember(record)
            self._done.update(videos)
            self._files.update(written)

    def close(self) -> None:
        """Close the file; it stays on the disk. Closing twice is harmless."""
        with self._lock:
            self._closed = True
            if self._file is not None:
                self._file.close()

    def remove(self) -> None:
        """Close and delete the file: the run is complete."""
        self.close()
        with disk_errors(self._path):
            self._path.unlink(missing_ok=True)

    def _load(self, content: bytes) -> None:
        self._length = content.rfind(b"\n") + 1
        if self._length != len(content) and not self._foreign:
            os.truncate(self._path, self._length)
        for line in content[: self._length].splitlines():
            try:
                self._take(json.loads(line))
            except _DAMAGE:
                continue

    def _take(self, fields: Any) -> None:
        """What one line says; raises one of _DAMAGE where it is none of the tool's."""
        if not isinstance(fields, Mapping):
            return
        if "frame" in fields:
            self._remember(_parse_record(fields))
        elif "file" in fields:
            path, written = _parse_file(fields)
            self._files[path] = written
        elif "done" in fields:
            video = str(fields["done"])
            self._done[video] = {str(name): int(count) for name, count in fields["counts"].items()}
        elif "choice" in fields:
            self._choices[str(fields["choice"])] = _parse_choice(fields)
        elif "cuts" in fields:
            self._cuts[str(fields["cuts"])] = [int(index) for index in fields["frames"]]

    def _append(self, data: bytes) -> None:
        if self._closed:
            raise DeviceError(f"the journal {self._path} is closed", "run the command again")
        if not data:
            return
        with disk_errors(self._path):
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                descriptor = open_own(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
                self._file = io.FileIO(descriptor, "a")
            try:
                rest = memoryview(data)
                while rest:  # a raw write may take less than it is given
                    rest = rest[self._file.write(rest) :]
            except OSError:
                self._file.truncate(self._length)  # shrinking needs no space
                raise
        self._length += len(data)

    def _remember(self, record: FrameRecord) -> None:
        self._records.setdefault(record.video, {})[record.frame] = record


def _line(record: FrameRecord) -> bytes:
    fields: dict[str, object] = {
        "video": record.video,
        "frame": record.frame,
        "status": record.status.value,
        "left": record.left,
        "right": record.right,
        "confidence": record.confidence,
    }
    if record.basis:
        fields["basis"] = record.basis
    if record.objects:
        fields["objects"] = [list(each) for each in record.objects]
    return json.dumps(fields).encode() + b"\n"


def journal_lines(records: Iterable[FrameRecord], files: Mapping[str, Stamp]) -> bytes:
    """What a journal of exactly these contains, in an order that does not depend on who finished first."""
    ordered = sorted(records, key=lambda record: (record.video, record.frame))
    return b"".join([*(_file_line(*item) for item in sorted(files.items())), *map(_line, ordered)])


def _file_line(path: str, written: Stamp) -> bytes:
    fields = {"file": path, "size": written.size, "sha256": written.sha256}
    if written.picture is not None:
        fields["picture"] = list(written.picture)
    return json.dumps(fields).encode() + b"\n"


def _parse_file(fields: Mapping[str, Any]) -> tuple[str, Stamp]:
    picture = fields.get("picture")
    height, width = picture if picture is not None else (0, 0)
    sides = None if picture is None else (int(height), int(width))
    return str(fields["file"]), Stamp(int(fields["size"]), str(fields["sha256"]), sides)


def _done_line(video: str, counts: Mapping[str, int]) -> bytes:
    return json.dumps({"done": video, "counts": counts}).encode() + b"\n"


def _choice_line(video: str, choice: MethodChoice) -> bytes:
    return json.dumps({"choice": video, **asdict(choice)}).encode() + b"\n"


def _parse_choice(fields: Mapping[str, Any]) -> MethodChoice:
    return MethodChoice(
        method=str(fields["method"]),
        hidden=[str(name) for name in fields["hidden"]],
        hidden_j={str(name): float(value) for name, value in fields["hidden_j"].items()},
        reason=str(fields["reason"]),
        objects={str(name): str(method) for name, method in fields.get("objects", {}).items()},
        objects_j={
            str(name): {str(method): float(value) for method, value in by_method.items()}
            for name, by_method in fields.get("objects_j", {}).items()
        },
    )


def _parse_record(fields: Mapping[str, Any]) -> FrameRecord:
    confidence = float(fields["confidence"])
    objects = tuple((int(number), float(sure)) for number, sure in fields.get("objects", []))
    for each in (confidence, *(sure for _, sure in objects)):
        if not 0 <= each <= 1:
            raise ValueError(f"confidence {each}")
    return FrameRecord(
        video=str(fields["video"]),
        frame=str(fields["frame"]),
        status=FrameStatus(fields["status"]),
        left=str(fields["left"]),
        right=str(fields["right"]),
        confidence=confidence,
        basis=str(fields.get("basis", "")),
        objects=objects,
    )
