"""One video of a run that makes files for each of its frames."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Generic

import numpy as np

from vsodtool.media.video.frames import FrameSource
from vsodtool.media.video.overlay import Clock, OverlayWriter, object_colour
from vsodtool.ops.shots.shots import ONE_SHOT
from vsodtool.pipelines.running.lost import check_unreadable
from vsodtool.pipelines.running.reports import Outcome, V
from vsodtool.pipelines.running.runs import tell_losses, tell_notes
from vsodtool.pipelines.running.video_state import VideoState
from vsodtool.types import Event, Frame, FrameRecord, FrameStatus, LabelArray, OnEvent


class VideoRun(ABC, Generic[V]):
    """The work on one video: `run` does what is the same for all verbs, a verb's own class the rest.

    What is finished is known from `state` alone, and `commit` alone adds to it. So a video can be continued;
    and who forgets some records in `state` has their frames made again.
    """

    def __init__(
        self,
        source: FrameSource,
        state: VideoState,
        on_event: OnEvent,
        *,
        overlay: bool,
        holds: Callable[[FrameRecord], bool] = lambda _: True,
    ) -> None:
        """Begin with what is there.

        Args:
            source: the video.
            state: the output folder.
            on_event: hears of progress, notices and losses.
            overlay: also make a video of the labels over the frames.
            holds: whether a finished frame would be made alike again; else it is made again.
        """
        self.source, self.state, self.layout, self.on_event = source, state, state.layout, on_event
        self.name, self.total = source.video.name, len(source.names)
        finished = state.finished(self.name)
        self.records = {frame: record for frame, record in finished.items() if holds(record)}
        self.outdated = [record for frame, record in finished.items() if frame not in self.records]
        self.shots = ONE_SHOT
        self._overlay = overlay
        self._seen = set(self.records)  # what progress counts: frames that are not yet committed too
        self._lock = threading.Lock()

    @abstractmethod
    def make(self) -> None:
        """Make the frames that are missing and commit them, decoding the video to its end."""

    @abstractmethod
    def labels(self, frame: str) -> LabelArray | None:
        """Object ids (H, W) of a frame as they lie in the output; None where there are none."""

    def colour_of(self, object_id: int) -> tuple[int, int, int]:
        """RGB of an object in the overlay."""
        return object_colour(object_id)

    @abstractmethod
    def report(self, seconds: float) -> V:
        """What became of the video, when all is done."""

    def run(self) -> Outcome[V]:
        """Make what is missing.

        Raises:
            DataError: nothing decodes, or a folder holds frames of several sizes.
            DeviceError: out of memory, or the output cannot be written.
            VsodtoolError: nothing was made of a frame that decodes.
        """
        started = time.perf_counter()
        self.on_event(Event("video", self.name, "", len(self.records), self.total, self.share))
        losses: list[str] = []
        if not self._is_finished():
            tell_notes(self.source, self.on_event)
            if self.outdated:  # before any of them is made again, as a run that is killed then cannot tell
                self.state.drop([self.layout.overlay(self.name)])
            self.make()
            losses = self._skip_lost()
        if self._overlay:
            self._write_overlay()
        report = self.report(round(time.perf_counter() - started + self.state.spent, 3))
        self.on_event(Event("done", self.name, done=self.total, total=self.total))
        return Outcome(report, losses, [self.records[frame] for frame in self.source.names])

    def commit(self, records: Sequence[FrameRecord]) -> None:
        """Frames are finished: their files have their final names. Callable from several threads."""
        self.state.commit(records)
        with self._lock:
            self.records.update({record.frame: record for record in records})
            self._seen.update(record.frame for record in records)

    def tell(self, frame: str = "", *, stage: str = "") -> None:
        """Tell of progress. Callable from several threads.

        Args:
            frame: one that is made, if not yet finished, and counts from now on.
            stage: what is done at present, where that is not the making of frames.
        """
        with self._lock:
            self._seen.update([frame] if frame else [])
            done = len(self._seen)
        self.on_event(Event("frame", self.name, stage, done, self.total, self.share))

    @property
    def share(self) -> float | None:
        """What is done of the work, in [0, 1]; None where frames say it."""
        return None

    def count(self, status: FrameStatus) -> int:
        """How many frames have this status."""
        return sum(record.status is status for record in self.records.values())

    def confidence(self) -> float:
        """Mean over the generated frames, 1 where there are none."""
        generated = (each for each in self.records.values() if each.status is FrameStatus.GENERATED)
        found = [record.confidence for record in generated]
        return round(sum(found) / len(found), 4) if found else 1.0

    def _is_finished(self) -> bool:
        # What was lost is told by every run, so a cut file is decoded again.
        return not self.source.is_cut and all(
            name in self.records and self.records[name].status is not FrameStatus.SKIPPED
            for name in self.source.names
        )

    def discard(self, record: FrameRecord) -> None:
        """Delete what an earlier run made of a frame that does not decode now."""

    def _skip_lost(self) -> list[str]:
        """Take account of what does not decode; a line for each loss."""
        losses = tell_losses(self.source, self.on_event)
        missing = [frame for frame in self.source.names if frame not in self.records]
        if check_unreadable(self.source, missing):
            losses += tell_losses(self.source, self.on_event, but=losses)
        for record in self.outdated:
            if record.frame in missing:
                self.discard(record)
        for frame in missing:
            self.records[frame] = FrameRecord(self.name, frame, FrameStatus.SKIPPED, "", "", 0.0)
        return losses

    def drawn(self) -> None:
        """A frame of the overlay is done."""
        self.tell(stage="drawing the overlay")

    def _write_overlay(self) -> None:
        """Decode the video once more and draw the labels; frames without stay as they are."""
        path, size = self.layout.overlay(self.name), self.source.size
        if self.state.holds(path):
            return
        source = self.source
        clock = Clock(source.fps, source.times)
        with OverlayWriter(path, size, clock, source.pixel_aspect, self.colour_of) as writer:
            for frame in source:
                labels = self.labels(frame.name)
                drawn = np.zeros(size, np.uint16) if labels is None else labels
                writer.add(frame.rgb, drawn, index=frame.index, caption=self._caption(frame))
                self.drawn()
        self.state.wrote([path])

    def _caption(self, frame: Frame) -> str:
        """What the overlay says of a frame: its name, its shot, how its mask came about, how sure that is."""
        record, count = self.records[frame.name], len(self.shots.cuts) + 1
        shot = f"  shot {self.shots.of(frame.index) + 1}/{count}" if count > 1 else ""
        sure = f"  {record.confidence:.2f}" if record.status is FrameStatus.GENERATED else ""
        return f"{record.frame}{shot}  {record.status}{sure}"
