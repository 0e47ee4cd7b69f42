"""One video through `pseudolabel`: intervals side by side, each frame written as soon as it is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial

from vsodtool.config import PseudoLabelConfig
from vsodtool.media.output.resume import ResumeState
from vsodtool.pipelines.densify.hidden_labels import TrialSchedule, schedule_trial
from vsodtool.pipelines.densify.interval import Interval, SparseVideo
from vsodtool.pipelines.densify.label import LabelWriter, SoftLabel
from vsodtool.pipelines.densify.setup import Candidates
from vsodtool.pipelines.densify.side_by_side import Workers
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


# Gives a video other candidates than the run's, by its labels: `--adapt`.
Adapt = Callable[[SparseVideo, TrialSchedule, Candidates, Workers, OnEvent], Candidates]


class VideoDensification(VideoRun[PseudoLabelVideoReport]):
    """The work on one video."""

    def __init__(
        self,
        video: SparseVideo,
        state: ResumeState,
        on_event: OnEvent,
        *,
        config: PseudoLabelConfig,
        candidates: Candidates,
        workers: Workers,
        adapt: Adapt | None = None,
    ) -> None:
        super().__init__(video.source, state, on_event, overlay=config.overlay)
        self._video, self._masks = video, video.masks
        self._candidates, self._workers, self._adapt = candidates, workers, adapt
        self._writer = LabelWriter(config, self.layout, video.masks)
        self._choice = state.choice(self.name)

    def make(self) -> None:
        """Given labels, then intervals side by side. After a failure, or Ctrl-C, no new one is begun."""
        missing = [name for name in self._masks.names if name not in self.records]
        self.commit([self._writer.write_given(name) for name in missing])
        candidates = self._candidates
        if self._adapt is not None and (self._choice is None or self._choice.method not in candidates.names):
            candidates = self._adapt(self._video, self._schedule, candidates, self._workers, self.on_event)
        if self._choice is None or self._choice.method not in candidates.names:  # or a damaged journal
            self._choice = self._choose(candidates)
        intervals = self._video.intervals(set(self.records))
        self._workers.each(intervals, partial(self._fill, candidates, self._choice.method))

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

    def _only_method(self) -> MethodChoice:
        return MethodChoice(self._candidates.names[0], [], {}, "")

    @cached_property
    def _schedule(self) -> TrialSchedule:
        return schedule_trial(self.source, self._masks)

    def _choose(self, candidates: Candidates) -> MethodChoice:
        """The method for this video, the same in all runs that continue this one."""
        if len(candidates.names) == 1:
            return self._only_method()
        choice = try_methods(self._video, self._schedule, candidates, self._workers)
        self.state.choose(self.name, choice)
        self.on_event(Event("notice", self.name, describe_choice(choice)))
        return choice

    def _fill(self, candidates: Candidates, method: str, interval: Interval) -> None:
        records: list[FrameRecord] = []
        left = interval.left.name if interval.left else ""
        right = interval.right.name if interval.right else ""

        def write(label: SoftLabel) -> None:
            record = self._writer.write_generated(self.source.names[label.index], label, left, right)
            records.append(record)
            self.tell(record.frame)

        candidates.fill(method, interval, workers=self._workers, on_label=write)
        self.commit(records)
