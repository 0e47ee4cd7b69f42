"""One video through `pseudolabel`: intervals side by side, each frame written as soon as it is known."""

from __future__ import annotations

import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from vsodtool.config.schema import PseudoLabelConfig
from vsodtool.media.frames import FrameSource
from vsodtool.media.masks import MaskSet
from vsodtool.media.resume import ResumeState
from vsodtool.pipelines.densify import DenseFrame, FillInterval
from vsodtool.pipelines.interval import IntervalJob, Workers
from vsodtool.pipelines.interval_stream import stream_intervals
from vsodtool.pipelines.label_overlay import write_overlay
from vsodtool.pipelines.label_writer import LabelWriter
from vsodtool.pipelines.pseudolabel_report import VideoReport
from vsodtool.types import Event, FrameRecord, FrameStatus, LabelArray, OnEvent

INTERVALS_AT_ONCE = 2  # the second one fills the gaps that the first leaves


@dataclass(frozen=True)
class VideoOutcome:
    """What became of a video: one record per frame in order, the report, and what could not be read."""

    records: list[FrameRecord]
    report: VideoReport
    losses: list[str]


class VideoRun:
    """The work on one video."""

    def __init__(
        self,
        config: PseudoLabelConfig,
        source: FrameSource,
        masks: MaskSet,
        *,
        fill: FillInterval,
        state: ResumeState,
        on_event: OnEvent,
    ) -> None:
        self._config, self._layout, self._source, self._masks = config, state.layout, source, masks
        self._fill_interval, self._state, self._on_event = fill, state, on_event
        self._writer = LabelWriter(config, state.layout, masks)
        self._records = state.finished(source.video.name)
        self._seen = set(self._records)  # what progress counts: frames of unfinished intervals too
        self._lock = threading.Lock()
        self._failed = threading.Event()

    def run(self, workers: Workers, drivers: ThreadPoolExecutor) -> VideoOutcome:
        """Make what is missing. After a failure, or Ctrl-C, no new interval is begun."""
        started = time.perf_counter()
        name, total = self._source.video.name, len(self._source.names)
        self._on_event(Event("video", name, total=total, done=len(self._records)))
        losses: list[str] = []
        if not self._is_finished():
            self._write_given()
            self._fill(workers, drivers)
            losses = self._note_losses()
        if self._config.overlay and not self._layout.overlay(name).exists():
            write_overlay(self._layout.overlay(name), self._source, self._written_labels)
        report = self._report(time.perf_counter() - started)
        self._on_event(Event("done", name, done=total, total=total))
        return VideoOutcome([self._records[frame] for frame in self._source.names], report, losses)

    def _written_labels(self, frame: str) -> LabelArray | None:
        path = self._layout.masks(self._source.video.name, frame)
        return self._masks.read_written(path) if path.exists() else None

    def _is_finished(self) -> bool:
        # What was lost is told by every run, so a cut file is decoded again.
        return not self._source.is_cut and all(
            name in self._records and self._records[name].status is not FrameStatus.SKIPPED
            for name in self._source.names
        )

    def _write_given(self) -> None:
        missing = [name for name in self._masks.names if name not in self._records]
        self._commit([self._writer.write_given(name) for name in missing])

    def _fill(self, workers: Workers, drivers: ThreadPoolExecutor) -> None:
        spill_folder = self._layout.root
        running: set[Future[None]] = set()
        try:
            jobs = stream_intervals(self._source, self._masks, set(self._records), spill_folder)
            for job in jobs:
                running.add(drivers.submit(self._fill_one, job, workers))
                if len(running) >= INTERVALS_AT_ONCE:
                    running = self._wait(running, FIRST_COMPLETED)
            while running:
                running = self._wait(running, FIRST_COMPLETED)
        except BaseException:
            self._failed.set()
            wait(running)
            raise

    @staticmethod
    def _wait(running: set[Future[None]], until: str) -> set[Future[None]]:
        finished, rest = wait(running, return_when=until)
        for future in finished:
            future.result()
        return rest

    def _fill_one(self, job: IntervalJob, workers: Workers) -> None:
        records: list[FrameRecord] = []
        left = job.left.name if job.left else ""
        right = job.right.name if job.right else ""

        def write(dense: DenseFrame) -> None:
            record = self._writer.write_generated(self._source.names[dense.index], dense, left, right)
            with self._lock:
                records.append(record)
                self._seen.add(record.frame)
                done = len(self._seen)
            self._on_event(Event("frame", record.video, done=done, total=len(self._source.names)))

        try:
            self._fill_interval(job, workers=workers, on_frame=write, cancelled=self._failed.is_set)
        finally:
            job.frames.close()
        self._commit(records)

    def _commit(self, records: list[FrameRecord]) -> None:
        self._state.journal.commit(records)
        with self._lock:
            self._records.update({record.frame: record for record in records})
            self._seen.update(self._records)

    def _note_losses(self) -> list[str]:
        """Give the frames that did not decode their place in the records; tell what was lost."""
        name = self._source.video.name
        for frame in self._source.names:
            if frame not in self._records:
                self._records[frame] = FrameRecord(name, frame, FrameStatus.SKIPPED, "", "", 0.0)
        losses = [f"{name}: frame {loss.frame_name}: {loss.reason}" for loss in self._source.losses]
        for line in losses:
            self._on_event(Event("warning", name, line))
        return losses

    def _report(self, seconds: float) -> VideoReport:
        by_status = dict.fromkeys(FrameStatus, 0)
        confidences = []
        for record in self._records.values():
            by_status[record.status] += 1
            if record.status is FrameStatus.GENERATED:
                confidences.append(record.confidence)
        return VideoReport(
            self._source.video.name,
            len(self._source.names),
            by_status[FrameStatus.GIVEN],
            by_status[FrameStatus.GENERATED],
            by_status[FrameStatus.SKIPPED],
            round(sum(confidences) / len(confidences), 4) if confidences else 1.0,
            round(seconds, 3),
        )
