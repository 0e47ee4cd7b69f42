"""One video through `pseudolabel`: intervals side by side, each frame written as soon as it is known."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from vsodtool.config import PseudoLabelConfig
from vsodtool.media.masks.sparse import MaskSet
from vsodtool.media.output.resume import ResumeState
from vsodtool.media.video.frames import FrameSource
from vsodtool.pipelines.densify.hidden_labels import schedule_trial
from vsodtool.pipelines.densify.interval import Interval, stream_intervals
from vsodtool.pipelines.densify.label import LabelWriter, SoftLabel
from vsodtool.pipelines.densify.setup import ADAPTED, Candidates
from vsodtool.pipelines.densify.side_by_side import Workers, work_side_by_side
from vsodtool.pipelines.densify.trial import describe_choice, try_methods
from vsodtool.pipelines.running.reports import VideoReport
from vsodtool.pipelines.running.video_run import VideoRun
from vsodtool.types import Event, FrameRecord, FrameStatus, LabelArray, MethodChoice, OnEvent


@dataclass(frozen=True)
class PseudoLabelVideoReport(VideoReport):
    """What became of one video.

    Attributes:
        name: of the video.
        frames: that the video announces.
        given: frames with a mask of the user's, returned as it was.
        generated: frames with a mask made here, by this run or an earlier one.
        skipped: frames that did not decode.
        confidence: mean over the generated frames, 1 where there are none; an estimate of their J.
        seconds: spent on it by this run.
        method: that made its masks; "" in a dry run that does not know it yet.
        hidden: names of the frames whose labels were hidden from the methods to choose one.
        hidden_j: by method the mean J that it reached on these, in [0, 1]. The label lies in the middle of an
            interval that is longer than those that were to be filled, where it is hardest: most frames fare
            better.
    """

    given: int
    generated: int
    skipped: int
    confidence: float
    seconds: float
    method: str = ""
    hidden: list[str] = field(default_factory=list)
    hidden_j: dict[str, float] = field(default_factory=dict)


class VideoDensification(VideoRun[PseudoLabelVideoReport]):
    """The work on one video."""

    def __init__(
        self,
        source: FrameSource,
        state: ResumeState,
        on_event: OnEvent,
        *,
        config: PseudoLabelConfig,
        masks: MaskSet,
        candidates: Candidates,
        workers: Workers,
        drivers: ThreadPoolExecutor,
    ) -> None:
        super().__init__(source, state, on_event, overlay=config.overlay)
        self._config, self._masks, self._candidates = config, masks, candidates
        self._workers, self._drivers = workers, drivers
        self._writer = LabelWriter(config, self.layout, masks)
        self._choice = state.choice(self.name)
        self._failed = threading.Event()

    def make(self) -> None:
        """Intervals side by side. After a failure, or Ctrl-C, no new interval is begun."""
        self._write_given()
        candidates = self._adapt(self._choice)
        self._choice = self._choice or self._choose(candidates)
        self._fill(candidates, self._choice.method)

    def labels(self, frame: str) -> LabelArray | None:
        """As written, also those that were given."""
        path = self.layout.masks(self.name, frame)
        return self._masks.read_written(path) if path.exists() else None

    def report(self, seconds: float) -> PseudoLabelVideoReport:
        """What became of the video."""
        choice = self._choice or self._only_method()
        return PseudoLabelVideoReport(
            self.name,
            self.total,
            self.count(FrameStatus.GIVEN),
            self.count(FrameStatus.GENERATED),
            self.count(FrameStatus.SKIPPED),
            self.confidence(),
            seconds,
            choice.method,
            choice.hidden,
            choice.hidden_j,
        )

    def _write_given(self) -> None:
        missing = [name for name in self._masks.names if name not in self.records]
        self.commit([self._writer.write_given(name) for name in missing])

    def _only_method(self) -> MethodChoice:
        return MethodChoice(self._candidates.names[0], [], {}, "")

    def _adapt(self, choice: MethodChoice | None) -> Candidates:
        """The methods for this video: with --adapt another one, unless it is known not to be chosen."""
        candidates = self._candidates
        if candidates.adaptable is None or (choice is not None and choice.method != ADAPTED):
            return candidates
        from vsodtool.pipelines.evidence.recorder import GuessMaker
        from vsodtool.pipelines.training.adapt import adapt_network, plan_adaptation

        tried = schedule_trial(self.source, self._masks).tests
        tests = plan_adaptation(self.source, self._masks, tried) if tried else []
        name = self.name
        if not tests:
            self.on_event(Event("notice", name, "not adapted: too few labels to learn from and to try it on"))
            return candidates
        self.on_event(Event("notice", name, f"learning from {len(tests)} of its labels"))
        network = adapt_network(
            candidates.adaptable,
            tests,
            self.source,
            self._masks,
            maker=GuessMaker(candidates.estimators, candidates.rules),
            steps=self._config.adapt,
            seed=self._config.seed,
            device=candidates.estimators.device,
            spill_folder=self.layout.root,
            workers=self._workers,
            drivers=self._drivers,
            failed=self._failed,
        )
        if network is None:
            self.on_event(Event("notice", name, "not adapted: nothing could be learned from its labels"))
            return candidates
        return candidates.with_adapted(network)

    def _choose(self, candidates: Candidates) -> MethodChoice:
        """The method for this video, the same in all runs that continue this one."""
        if len(candidates.names) == 1:
            return self._only_method()
        choice = try_methods(
            schedule_trial(self.source, self._masks),
            self.source,
            self._masks,
            candidates=candidates,
            spill_folder=self.layout.root,
            workers=self._workers,
            drivers=self._drivers,
            failed=self._failed,
        )
        self.state.choose(self.name, choice)
        self.on_event(Event("notice", self.name, describe_choice(choice)))
        return choice

    def _fill(self, candidates: Candidates, method: str) -> None:
        intervals = stream_intervals(self.source, self._masks, set(self.records), self.layout.root)
        fill = partial(candidates.fill, method, workers=self._workers, cancelled=self._failed.is_set)
        work_side_by_side(
            intervals, lambda interval: self._fill_one(interval, fill), self._drivers, self._failed
        )

    def _fill_one(self, interval: Interval, fill: Callable[..., None]) -> None:
        records: list[FrameRecord] = []
        left = interval.left.name if interval.left else ""
        right = interval.right.name if interval.right else ""

        def write(label: SoftLabel) -> None:
            record = self._writer.write_generated(self.source.names[label.index], label, left, right)
            records.append(record)
            self.tell(record.frame)

        try:
            fill(interval, on_label=write)
        finally:
            interval.frames.close()
        self.commit(records)
