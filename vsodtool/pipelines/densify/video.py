"""One video through `pseudolabel`: intervals side by side, each frame written as soon as it is known."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from vsodtool.config.schema import PseudoLabelConfig
from vsodtool.media.masks.sparse import MaskSet
from vsodtool.media.output.resume import ResumeState
from vsodtool.media.video.frames import FrameSource
from vsodtool.pipelines.densify.fill import FillInterval
from vsodtool.pipelines.densify.hidden_labels import schedule_trial
from vsodtool.pipelines.densify.interval import Interval, stream_intervals
from vsodtool.pipelines.densify.label import DenseFrame, LabelWriter
from vsodtool.pipelines.densify.report import VideoReport
from vsodtool.pipelines.densify.setup import ADAPTED, Candidates, with_adapted
from vsodtool.pipelines.densify.side_by_side import Workers, work_side_by_side
from vsodtool.pipelines.densify.trial import describe_choice, try_methods
from vsodtool.pipelines.running.overlay import write_overlay
from vsodtool.types import Event, FrameRecord, FrameStatus, LabelArray, MethodChoice, OnEvent


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
        way: Candidates,
        state: ResumeState,
        on_event: OnEvent,
    ) -> None:
        self._config, self._layout, self._source, self._masks = config, state.layout, source, masks
        self._way, self._state, self._on_event = way, state, on_event
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
        choice = self._state.choice(name)
        if not self._is_finished():
            self._write_given()
            way = self._adapt(choice, workers, drivers)
            choice = choice or self._choose(way, workers, drivers)
            self._fill(way.fills[choice.method], workers, drivers)
            losses = self._note_losses()
        if self._config.overlay and not self._layout.overlay(name).exists():
            write_overlay(self._layout.overlay(name), self._source, self._written_labels)
        report = self._report(choice or self._only_method(), time.perf_counter() - started)
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

    def _only_method(self) -> MethodChoice:
        return MethodChoice(self._way.names[0], [], {}, "")

    def _adapt(
        self, choice: MethodChoice | None, workers: Workers, drivers: ThreadPoolExecutor
    ) -> Candidates:
        """The methods for this video: with --adapt another one, unless it is known not to be chosen."""
        adapting = self._way.adapting
        if adapting is None or (choice is not None and choice.method != ADAPTED):
            return self._way
        from vsodtool.pipelines.evidence.recorder import Way
        from vsodtool.pipelines.training.adapt import adapt_network, plan_adaptation

        tried = schedule_trial(self._source, self._masks).tests
        tests = plan_adaptation(self._source, self._masks, tried) if tried else []
        name = self._source.video.name
        if not tests:
            self._on_event(
                Event("notice", name, "not adapted: too few labels to learn from and to try it on")
            )
            return self._way
        self._on_event(Event("notice", name, f"learning from {len(tests)} of its labels"))
        network = adapt_network(
            adapting.network,
            tests,
            self._source,
            self._masks,
            way=Way(adapting.plan, adapting.rules),
            steps=self._config.adapt,
            seed=self._config.seed,
            device=adapting.device,
            spill_folder=self._layout.root,
            workers=workers,
            drivers=drivers,
            failed=self._failed,
        )
        if network is None:
            self._on_event(Event("notice", name, "not adapted: nothing could be learned from its labels"))
            return self._way
        return with_adapted(self._way, network)

    def _choose(self, way: Candidates, workers: Workers, drivers: ThreadPoolExecutor) -> MethodChoice:
        """The method for this video, the same in all runs that continue this one."""
        if not way.trials:
            return self._only_method()
        choice = try_methods(
            schedule_trial(self._source, self._masks),
            self._source,
            self._masks,
            candidates=way.names,
            trials=way.trials,
            spill_folder=self._layout.root,
            workers=workers,
            drivers=drivers,
            failed=self._failed,
        )
        self._state.choose(self._source.video.name, choice)
        self._on_event(Event("notice", self._source.video.name, describe_choice(choice)))
        return choice

    def _fill(self, fill: FillInterval, workers: Workers, drivers: ThreadPoolExecutor) -> None:
        jobs = stream_intervals(self._source, self._masks, set(self._records), self._layout.root)
        work_side_by_side(jobs, lambda job: self._fill_one(job, fill, workers), drivers, self._failed)

    def _fill_one(self, job: Interval, fill: FillInterval, workers: Workers) -> None:
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
            fill(job, workers=workers, on_frame=write, cancelled=self._failed.is_set)
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

    def _report(self, choice: MethodChoice, seconds: float) -> VideoReport:
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
            choice.method,
            choice.hidden,
            choice.hidden_j,
        )
