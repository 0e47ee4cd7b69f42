"""A small run, with masks that are any bytes or pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.media.masks.plane_png import encode_plane_png
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import Manifest
from vsodtool.media.output.resume import describe_run, start_or_resume
from vsodtool.types import FrameRecord, FrameStatus

MakeInput = Callable[..., Any]
Snapshot = dict[str, bytes]
CONFIG = {"every": 5, "quality": "fast", "soft": False, "workers": 0, "inputs": ("in",), "seed": 0}


class Run:
    """A small run: two videos, one mask each."""

    def __init__(self, make_input: MakeInput, folder: Path) -> None:
        self.layout = OutputLayout(folder / "out")
        self.inputs = [make_input("bear", 3), make_input("cat")]
        self.masks: dict[str, list[Path]] = {}
        for video in self.inputs:
            path = folder / "masks" / video.name / "00000.png"
            write_bytes_atomically(path, b"mask of " + video.name.encode())
            self.masks[video.name] = [path]
        self.config: dict[str, object] = dict(CONFIG)
        self.weights = {"raft": "0123" * 16}

    def describe(self, command: str = "pseudolabel") -> Manifest:
        return describe_run(command, self.config, self.inputs, self.masks, self.weights)

    def start(self, **options: Any) -> Any:
        options = {"outputs_of": self.outputs_of, **options}
        return start_or_resume(self.layout, self.describe(), **options)

    def make(self, video: str, frame: str) -> FrameRecord:
        write_bytes_atomically(self.layout.masks(video, frame), f"{video} {frame}".encode())
        return FrameRecord(video, frame, FrameStatus.GENERATED, "", "", 0.5)

    def complete(self) -> None:
        with self.start() as state:
            rows = [self.make("bear", "00000"), self.make("bear", "00001"), self.make("cat", "00000")]
            state.commit(rows)
            state.finish(rows, 1.0)

    def outputs_of(self, record: FrameRecord) -> Iterable[Path]:
        return [self.layout.masks(record.video, record.frame)]


def snapshot(folder: Path) -> Snapshot:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def mask_png(value: int, size: tuple[int, int] = (8, 10)) -> bytes:
    return encode_plane_png(np.full(size, value, np.uint8))


class Masks(Run):
    """The same run with masks that are pictures."""

    def make(self, video: str, frame: str) -> FrameRecord:
        write_bytes_atomically(self.layout.masks(video, frame), mask_png(255))
        return FrameRecord(video, frame, FrameStatus.GENERATED, "", "", 0.5)
