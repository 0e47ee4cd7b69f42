"""Labels that are made again at once, or when they are let."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from tests.pipelines.reviewing.browser import Hands
from tests.pipelines.reviewing.conftest import Out
from vsodtool.media.masks.plane_png import encode_plane_png
from vsodtool.media.masks.reading import read_raw_mask
from vsodtool.media.output.tables.frames_csv import read_frames_csv, write_frames_csv
from vsodtool.types import Event, OnEvent

if TYPE_CHECKING:
    pass


@dataclass
class Brighter:
    """An updater that makes all frames confident, when it is let."""

    out: Out
    go: threading.Event = field(default_factory=threading.Event)
    taken: set[str] = field(default_factory=set)  # corrections that labels were made of
    edited: set[str] = field(default_factory=set)  # masks that another program has changed

    @dataclass(frozen=True)
    class Interval:
        video: str
        left: str
        right: str
        frames: int

    def stale(self) -> list[Interval]:
        rows = read_frames_csv(self.out.layout.frames_csv)
        new = [
            row
            for row in rows
            if self.out.layout.correction("clip", row.frame).exists() and row.status != "given"
        ]
        back = [
            place
            for place, row in enumerate(rows)
            if row.frame in self.taken and not self.out.layout.correction("clip", row.frame).exists()
        ]
        return [
            *(self.Interval("clip", row.left, row.frame, 1) for row in new),
            *(self.Interval("clip", rows[place - 1].left, rows[place + 1].right, 3) for place in back),
            *(self.Interval("clip", row.left, row.frame, 1) for row in rows if row.frame in self.edited),
        ]

    def prepare(self) -> None:
        pass

    def run(self, on_event: OnEvent) -> None:
        on_event(Event("video", "clip", total=9, done=8))
        assert self.go.wait(60)
        on_event(Event("frame", "clip", total=9, done=9))
        rows = read_frames_csv(self.out.layout.frames_csv)
        corrected = {row.frame for row in rows if self.out.layout.correction("clip", row.frame).exists()}
        self.taken |= corrected
        write_frames_csv(
            self.out.layout.frames_csv,
            [
                replace(row, status=type(row.status)("given"), confidence=1.0) if row.frame in corrected
                else replace(row, confidence=0.99) if row.status == "generated" else row
                for row in rows
            ],
        )  # fmt: skip
        everywhere = encode_plane_png(
            np.ones(self.out.size, np.uint8), read_raw_mask(self.out.layout.masks("clip", "00000")).palette
        )
        self.out.layout.masks("clip", "00002").write_bytes(everywhere)

    def close(self) -> None:
        """Nothing is kept."""


def correct_and_make_again(hands: Hands) -> None:
    """Draw on frame 3; the labels beside it are being made after that."""
    hands.go(3)
    hands.stroke((20, 17))
    hands.save()
    hands.await_("stale", 1)
    hands.keys("u")
    hands.await_("rerun", "running")
