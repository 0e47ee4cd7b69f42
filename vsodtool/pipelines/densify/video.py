"""One video through `pseudolabel`: intervals side by side, each frame written as soon as it is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

from vsodtool.config import PseudoLabelConfig
from vsodtool.errors import DataError
from vsodtool.media.weights.safetensors_files import write_weights
from vsodtool.ops.shots.shots import ONE_SHOT
from vsodtool.ops.suggesting.least_sure import least_sure
from vsodtool.pipelines.densify.adapt import Adapt, Learned
from vsodtool.pipelines.densify.choosing.hidden_labels import HiddenTest, TrialSchedule, schedule_trial
from vsodtool.pipelines.densify.choosing.trial import (
    FAR_BELOW,
    Scores,
    copied_j,
    decide,
    describe_choice,
    further_tests,
    measure_methods,
    merged,
    try_methods,
)
from vsodtool.pipelines.densify.effort import OVERLAY, Effort, Prices, of_tracking
from vsodtool.pipelines.densify.filling.far import FAR
from vsodtool.pipelines.densify.filling.label import LabelWriter, SoftLabel, output_files
from vsodtool.pipelines.densify.interval import Interval, SparseVideo
from vsodtool.pipelines.densify.motion import TriedFlows
from vsodtool.pipelines.densify.report import PseudoLabelVideoReport
from vsodtool.pipelines.densify.setup import Candidates
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.pipelines.densify.updating.basis import Basis
from vsodtool.pipelines.running.runs import tell_notes
from vsodtool.pipelines.running.shots import NO_CUTS, Cuts
from vsodtool.pipelines.running.units import Division
from vsodtool.pipelines.running.video_run import VideoRun
from vsodtool.pipelines.running.video_state import VideoState
from vsodtool.types import Event, FrameRecord, FrameStatus, LabelArray, MethodChoice, OnEvent

WORST = 5  # frames of a video that its report names as least sure
_TRIED_LIKE_DECODED = 50  # to try methods on a frame takes as long as to decode so many, or longer


@dataclass(frozen=True)
class Equipment:
    """What the videos of a run are labelled with.

    Attributes:
        config: of the run.
        candidates: its methods.
        workers: do the heavy pieces.
        adapt: gives each video one more method; None: nothing does.
    """

    config: PseudoLabelConfig
    candidates: Candidates
    workers: Workers
    adapt: Adapt | None = None


class VideoDensification(VideoRun[PseudoLabelVideoReport]):
    """The work on one video."""

    def __init__(
        self,
        video: SparseVideo,
        state: VideoState,
        on_event: OnEvent,
        equipment: Equipment,
        *,
        doubts: Sequence[str] = (),
        cuts: Cuts = NO_CUTS,
    ) -> None:
        """Begin with what is there.

        Args:
            video: with its masks.
            state: the output folder.
            on_event: hears of progress, notices and losses.
            equipment: of the run.
            doubts: why the masks may not belong to it, one line each.
            cuts: what is known of its shots.
        """
        config = equipment.config
        known = cuts.known(video.source.video.name, state) or ONE_SHOT
        self.basis = Basis(video.masks, video.source.names, known)
        super().__init__(video.source, state, on_event, overlay=config.overlay, holds=self.basis.holds)
        self._config, self._cuts, self.shots = config, cuts, known
        self._video, self._masks = replace(video, shots=known), video.masks
        self._candidates, self._workers, self._adapt = (
            equipment.candidates,
            equipment.workers,
            equipment.adapt,
        )
        self._writer = LabelWriter(config, self.layout, video.masks, self.basis)
        self._choice, self._chose = state.choice(self.name), False
        self._doubts = list(doubts)
        self._effort = Effort()
        self._tried_flows = TriedFlows()

    def make(self) -> None:
        """Given labels, then intervals side by side. After a failure, or Ctrl-C, no new one is begun."""
        self._write_given()
        candidates, choice = self._prepare()
        lossy = self.source.is_cut or self.count(FrameStatus.SKIPPED) > 0  # told by every run
        intervals = self._video.intervals(set(self.records), everything=lossy)
        self._workers.each(intervals, partial(self._fill, candidates, choice))

    def discard(self, record: FrameRecord) -> None:
        """Delete a label that was made."""
        self.state.drop(output_files(self._config, self.layout, record))

    def begin(self, most: int, measured: Sequence[Scores]) -> Division:
        """What comes before the intervals, and these in groups that can be filled apart.

        Args:
            most: frames of a group, of which one interval may have more.
            measured: what methods reached in the tests that were asked about before.

        Returns:
            Tests that can be made apart, or names of the frames that each group makes.
        """
        if self.outdated:
            self.state.drop([self.layout.overlay(self.name)])
        tell_notes(self.source, self.on_event)
        self._write_given()
        scores = merged(measured)
        tests: Sequence[HiddenTest] = ()
        if not measured:
            tests = self._tests_apart()
        elif len(measured) == len(self._schedule.tests):  # else these were the further ones
            tests = further_tests(self._video, self._schedule, self._candidates, scores)
        if tests:
            return Division(questions=tests)
        self._prepare(scores if measured else None)
        return Division(self._video.groups(set(self.records), most))

    def measure(self, test: HiddenTest) -> Scores:
        """What methods reach in one of the tests that `begin` asks about."""
        self._find_shots()
        return measure_methods(self._video, [test], self._candidates, self._workers)

    def fill(self, frames: Sequence[str]) -> None:
        """Fill the intervals of one group, after `begin`."""
        self._write_given()
        candidates, choice = self._prepare()
        others = set(self.source.names).difference(frames).union(self.records)
        intervals = self._video.intervals(others, everything=False)
        self._workers.each(intervals, partial(self._fill, candidates, choice))

    def _write_given(self) -> None:
        """Know the shots, and write the labels that were given."""
        self._find_shots()
        missing = [name for name in self._masks.names if name not in self.records]
        self.commit([self._writer.write_given(name) for name in missing])

    def _tests_apart(self) -> Sequence[HiddenTest]:
        """Tests to be made by several workers; none where one is as fast, or knows what others do not."""
        if self._choice is not None or self._adapt is not None or len(self._candidates.names) == 1:
            return []
        tests = self._schedule.tests
        walked = sum(test.right - test.left + 1 for test in tests)
        decoded = tests[-1].right if tests else 0  # by each, as a video file is decoded from its start
        return tests if len(tests) > 1 and decoded < _TRIED_LIKE_DECODED * walked else []

    def _prepare(self, measured: Scores | None = None) -> tuple[Candidates, MethodChoice]:
        """The method, which is the same in all runs that continue this one, and what it is one of."""
        method = self._choice.method if self._choice else self._candidates.names[0]
        self._effort.plan(self._cost(method) + (OVERLAY * self.total if self._config.overlay else 0))
        learned = self._learned()
        candidates = learned.candidates
        if self._choice is None or not self._choice.methods <= set(candidates.names):  # or a damaged journal
            self._choice, self._chose = self._choose(candidates, measured), True
            self._effort.plan(self._cost(self._choice.method) - self._cost(method))
        own = self._choice.methods - set(self._candidates.names)
        if learned.weights and own:
            kept = self.layout.adapted(self.name)
            write_weights(kept, learned.weights, {"method": ", ".join(own)})
            self.state.wrote([kept])
        return candidates, self._choice

    def _find_shots(self) -> None:
        if self._cuts.known(self.name, self.state) is None:
            self.tell(stage="finding cuts")
        self.shots = shots = self._cuts.of(self.source, self.state, self.on_event)
        if shots != self._video.shots:
            self._video = replace(self._video, shots=shots)
            self.basis = Basis(self._masks, self.source.names, shots)
            self._writer = LabelWriter(self._config, self.layout, self._masks, self.basis)
            # There are some only if the journal lost its line about the shots.
            self.records = {name: each for name, each in self.records.items() if self.basis.holds(each)}
        for shot in shots.split(self.total) if shots.cuts else []:
            names = self.source.names[shot.start : shot.stop]
            if not any(name in self._masks.files for name in names):
                text = (
                    f"{self.name}: no mask in the shot of frames {names[0]} to {names[-1]}: its labels are "
                    "empty; mask a frame of it, or say by an all-zero mask that nothing is there"
                )
                self.on_event(Event("warning", self.name, text))

    def labels(self, frame: str) -> LabelArray | None:
        """As written, also those that were given."""
        path = self.layout.masks(self.name, frame)
        return self._masks.read_written(path) if path.exists() else None

    def colour_of(self, object_id: int) -> tuple[int, int, int]:
        """Of the masks given, where they have one."""
        return self._masks.encoding.colour(object_id) or super().colour_of(object_id)

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
            [*self._doubts, *self._worse_than_copies(choice)],
            self._worst(),
            choice.objects,
            choice.objects_j,
        )

    def _learned(self) -> Learned:
        """The candidates for this video; what was learned for it once is not learned again."""
        names = set(self._candidates.names)
        run_has_it = self._choice is not None and self._choice.methods <= names
        if self._adapt is None or run_has_it:
            return Learned(self._candidates)
        kept = self.layout.adapted(self.name)
        if self._choice is not None and self.state.holds(kept):
            return Learned(self._adapt.restore(self._candidates, kept))
        if self._config.update and not self._config.overwrite and self._was_made():
            raise DataError(
                f"{kept}: expected the network that made the masks of '{self.name}', "
                "found it gone or changed",
                "say --update --overwrite to adapt it again and make all masks anew",
            )
        return self._adapt.learn(self._video, self._schedule, self._candidates, self._workers, self.on_event)

    def _was_made(self) -> bool:
        """Whether labels were made of it before: an update takes videos in addition, too."""
        return self._choice is not None or self.count(FrameStatus.GENERATED) > 0

    def _worst(self) -> dict[str, float]:
        records = [self.records[frame] for frame in self.source.names]
        made = [each.confidence if each.status is FrameStatus.GENERATED else 1.0 for each in records]
        return {records[at].frame: round(made[at], 4) for at in least_sure(made, WORST)}

    def _worse_than_copies(self, choice: MethodChoice) -> list[str]:
        """A warning where nothing came near what repeating the nearest mask gives on the hidden labels."""
        told = self._config.update and not self._chose  # by the run that chose
        if not choice.hidden or told:
            return []
        copied = copied_j(self._video, self._schedule)
        reached = max(choice.hidden_j.values(), default=copied)
        if reached >= copied - FAR_BELOW:
            return []
        line = (
            f"on its hidden labels J is {reached:.2f}, repeating the nearest mask gives {copied:.2f}: "
            "do its masks belong to it?"
        )
        self.on_event(Event("warning", self.name, line))
        return [line]

    def _only_method(self) -> MethodChoice:
        return MethodChoice(self._candidates.names[0], [], {}, "")

    @cached_property
    def _schedule(self) -> TrialSchedule:
        return schedule_trial(self.source, self._masks, self._video.shots)

    def _choose(self, candidates: Candidates, measured: Scores | None) -> MethodChoice:
        """The method for this video, the same in all runs that continue this one."""
        if len(candidates.names) == 1:
            return self._only_method()
        choice = (
            self._try(candidates)
            if measured is None
            else decide(self._video, self._schedule, candidates, measured)
        )
        self.state.choose(self.name, choice)
        self.on_event(Event("notice", self.name, describe_choice(choice)))
        return choice

    def _try(self, candidates: Candidates) -> MethodChoice:
        stage, prices = "comparing methods on hidden labels", self._prices(candidates.names[0])
        left: dict[HiddenTest, float] = {}

        def plan(tests: Sequence[HiddenTest]) -> None:
            costs = {test: prices.test(test, candidates.names) for test in tests}
            left.update(costs)
            self._effort.plan(sum(costs.values()))
            self.tell(stage=stage)

        def spend(test: HiddenTest, cost: float) -> None:
            cost = min(cost, left[test])  # long tests compute flow twice
            left[test] -= cost
            self._effort.spend(cost)
            self.tell(stage=stage)

        return try_methods(
            self._video,
            self._schedule,
            candidates.leaving(self._tried_flows),
            self._workers,
            on_tests=plan,
            on_tried=lambda test: spend(test, left[test]),
            on_flow=lambda test, pairs: spend(test, pairs * prices.flow),
        )

    @property
    def share(self) -> float:
        """What is done of all the work on the video."""
        return self._effort.share

    def drawn(self) -> None:
        """A frame of the overlay is done."""
        self._effort.spend(OVERLAY)
        super().drawn()

    def _prices(self, method: str) -> Prices:
        return Prices.of(method, self._config.quality)

    def _cost(self, method: str) -> float:
        """Of making what is missing."""
        index_of = {name: index for index, name in enumerate(self.source.names)}
        missing = [index for name, index in index_of.items() if name not in self.records]
        labelled = [index_of[name] for name in self._masks.names]
        return self._prices(method).video(labelled, missing, FAR if self._follows(method) else None)

    def _follows(self, method: str) -> bool:
        known = self._candidates.methods.get(method)  # else one that was adapted to the video
        return self._candidates.tracker is not None if known is None else self._candidates.follows(known)

    def _fill(self, candidates: Candidates, choice: MethodChoice, interval: Interval) -> None:
        prices, method = self._prices(choice.method), candidates.chosen(choice, self._masks.object_ids)
        made = prices.made if len(interval.labelled) == 2 else prices.made_from_one

        records: list[FrameRecord] = []
        left = interval.left.name if interval.left else ""
        right = interval.right.name if interval.right else ""

        def write(label: SoftLabel) -> None:
            record = self._writer.write_generated(self.source.names[label.index], label, left, right)
            records.append(record)
            self._effort.spend(made)
            self.tell(record.frame)

        def seen(count: int) -> None:
            self._effort.spend(prices.seen * count)
            self.tell()

        def tracked(share: float) -> None:
            self._effort.spend(share * of_tracking(len(interval.targets), len(interval.labelled)))
            self.tell()

        if interval.labelled:
            candidates.after(self._tried_flows).fill(
                method,
                interval,
                workers=self._workers,
                on_label=write,
                on_seen=seen,
                on_tracked=tracked,
            )
        else:
            for index in interval.targets:
                records.append(self._writer.write_nothing(self.source.names[index], interval.size))
                self._effort.spend(prices.seen + prices.made)  # as it was planned
                self.tell(records[-1].frame)
        self.commit(records)
