"""The finished frames of a run, one JSON object per line, appended as they finish.

A frame belongs here once its files have their final names, so a killed run redoes at most what is not listed.
What was chosen for a video as a whole stands there too. A shard of a run also notes the videos of which
nothing is left to do, with their counts for the manifest.
"""

from __future__ import annotations

import io
import json
import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from vsodtool.errors import DeviceError
from vsodtool.media.atomic import disk_errors
from vsodtool.types import FrameRecord, FrameStatus, MethodChoice


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
            DeviceError: the file exists and cannot be read or mended.
        """
        self._path, self._foreign = path, foreign
        self._lock = threading.Lock()
        self._records: dict[str, dict[str, FrameRecord]] = {}
        self._done: dict[str, dict[str, int]] = {}
        self._choices: dict[str, MethodChoice] = {}
        self._file: io.FileIO | None = None
        self._closed = foreign
        self._length = 0
        with disk_errors(path):
            if path.exists():
                self._load(path.read_bytes())

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

    def choose(self, video: str, choice: MethodChoice) -> None:
        """Append what was chosen for a video, before anything is made by it.

        Raises:
            DeviceError: the disk is full or the journal is closed.
        """
        with self._lock:
            self._append(_choice_line(video, choice))
            self._choices[video] = choice

    def commit(
        self, records: Iterable[FrameRecord], done: Mapping[str, Mapping[str, int]] | None = None
    ) -> None:
        """Append `records` in one write; their files must already have their final names.

        Args:
            records: finished frames.
            done: videos of which nothing is left to do after these records, with their counts.

        Raises:
            DeviceError: the disk is full or the journal is closed; then none of them is listed.
        """
        batch = list(records)
        videos = {video: dict(counts) for video, counts in (done or {}).items()}
        data = b"".join([*map(_line, batch), *(_done_line(*item) for item in videos.items())])
        with self._lock:
            self._append(data)
            for record in batch:
                self._remember(record)
            self._done.update(videos)

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
            record = _parse(line)
            if record is not None:
                self._remember(record)
            elif (done := _parse_done(line)) is not None:
                self._done[done[0]] = done[1]
            elif (choice := _parse_choice(line)) is not None:
                self._choices[choice[0]] = choice[1]

    def _append(self, data: bytes) -> None:
        if self._closed:
            raise DeviceError(f"the journal {self._path} is closed", "run the command again")
        if not data:
            return
        with disk_errors(self._path):
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = io.FileIO(self._path, "a")
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
    fields = {
        "video": record.video,
        "frame": record.frame,
        "status": record.status.value,
        "left": record.left,
        "right": record.right,
        "confidence": record.confidence,
    }
    return json.dumps(fields).encode() + b"\n"


def _done_line(video: str, counts: Mapping[str, int]) -> bytes:
    return json.dumps({"done": video, "counts": counts}).encode() + b"\n"


def _parse_done(line: bytes) -> tuple[str, dict[str, int]] | None:
    try:
        fields = json.loads(line)
        if not isinstance(fields, Mapping):
            return None
        return str(fields["done"]), {str(name): int(count) for name, count in fields["counts"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _choice_line(video: str, choice: MethodChoice) -> bytes:
    return json.dumps({"choice": video, **asdict(choice)}).encode() + b"\n"


def _parse_choice(line: bytes) -> tuple[str, MethodChoice] | None:
    try:
        fields = json.loads(line)
        if not isinstance(fields, Mapping):
            return None
        return str(fields["choice"]), MethodChoice(
            method=str(fields["method"]),
            hidden=[str(name) for name in fields["hidden"]],
            hidden_j={str(name): float(value) for name, value in fields["hidden_j"].items()},
            reason=str(fields["reason"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _parse(line: bytes) -> FrameRecord | None:
    try:
        fields = json.loads(line)
        if not isinstance(fields, Mapping):
            return None
        return FrameRecord(
            video=str(fields["video"]),
            frame=str(fields["frame"]),
            status=FrameStatus(fields["status"]),
            left=str(fields["left"]),
            right=str(fields["right"]),
            confidence=float(fields["confidence"]),
        )
    except (ValueError, KeyError, TypeError):
        return None
