"""log.jsonl: what happened in a training run, one JSON object per line."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vsodtool.media.atomic import disk_errors, write_bytes_atomically


class RunLog:
    """Appends lines; each is complete on the disk before the next step begins."""

    def __init__(self, path: Path, *, keep: int) -> None:
        """Open the log; what an earlier run wrote about steps that will be done again is removed.

        Args:
            path: of the log, made if missing.
            keep: lines about steps up to this one stay; below 0 none.

        Raises:
            DeviceError: the disk refuses.
        """
        self._path = path
        kept = [line for line, record in _lines(path) if _step(record) <= keep] if keep >= 0 else []
        write_bytes_atomically(path, "".join(kept).encode())
        with disk_errors(path):
            self._file = path.open("a", encoding="utf-8", newline="\n")

    def write(self, event: str, **values: Any) -> None:
        """Append {"event": event, **values}.

        Raises:
            DeviceError: the disk refuses.
        """
        with disk_errors(self._path):
            self._file.write(json.dumps({"event": event, **values}) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file; a second time is harmless."""
        with disk_errors(self._path):
            self._file.close()


def read_log(path: Path) -> list[dict[str, Any]]:
    """All complete lines of a log."""
    return [record for _, record in _lines(path)]


def _step(record: dict[str, Any]) -> float:
    """The step that a line is about; of one that makes no sense infinitely late, so that it is not kept."""
    step = record.get("step", 0)
    return step if isinstance(step, int | float) else math.inf


def _lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    if not path.is_file():
        return
    with disk_errors(path), path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):  # cut off by a kill, or damaged
                continue
            if isinstance(record, dict) and line.endswith("\n"):
                yield line, record
