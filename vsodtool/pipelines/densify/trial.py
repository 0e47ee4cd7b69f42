"""Try methods on labels that are hidden from them, and choose one for the video (`--method auto`)."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev

from vsodtool.media.masks.sparse import MaskSet
from vsodtool.media.video.frame_store import FrameStore
from vsodtool.media.video.frames import FrameSource
from vsodtool.metrics import region_j
from vsodtool.pipelines.densify.fill import densify
from vsodtool.pipelines.densify.hidden_labels import HiddenTest, TrialSchedule
from vsodtool.pipelines.densify.interval import Interval, LabelledFrame, to_channels
from vsodtool.pipelines.densify.label import SoftLabel
from vsodtool.pipelines.densify.setup import Candidates
from vsodtool.pipelines.densify.side_by_side import Workers, work_side_by_side
from vsodtool.types import Frame, LabelArray, MethodChoice

# benchmarks/choose_method.py: of margins that leave something to chance, small ones lost least.
NOISE = 0.005  # J by which two methods differ on one label without one being better; the least assumed
CAUTION = 0.5  # standard errors


def try_methods(
    schedule: TrialSchedule,
    source: FrameSource,
    masks: MaskSet,
    *,
    candidates: Candidates,
    spill_folder: Path,
    workers: Workers,
    drivers: ThreadPoolExecutor,
    failed: threading.Event,
) -> MethodChoice:
    """Make the hidden labels again with each candidate and choose.

    The video is read once, to the last hidden interval. A test whose frame or labels do not decode is left
    out.

    Args:
        schedule: of this video.
        source: the video.
        masks: its masks.
        candidates: the methods.
        spill_folder: where frames of long intervals are put aside.
        workers: does the heavy pieces.
        drivers: each drives one interval.
        failed: set after a failure, which is raised.
    """
    scores: dict[int, dict[str, float]] = {}
    lock = threading.Lock()

    def attempt(interval: Interval) -> None:
        (hidden,) = interval.targets
        truth = masks.read(source.names[hidden])

        def score(name: str, label: SoftLabel) -> None:
            reached = hidden_j(label, truth, masks.object_ids, interval.present)
            with lock:
                scores.setdefault(hidden, {})[name] = reached

        try:
            densify(
                interval,
                list(candidates.methods.values()),
                candidates.estimators,
                workers=workers,
                on_label=score,
                cancelled=failed.is_set,
            )
        finally:
            interval.frames.close()

    if schedule.tests:
        work_side_by_side(stream_tests(schedule.tests, source, masks, spill_folder), attempt, drivers, failed)
    tried = sorted(scores)
    by_method = {name: [scores[index][name] for index in tried] for name in candidates.names}
    method, reason = choose_method(by_method, candidates.names[0])
    means = {name: round(fmean(values), 4) for name, values in by_method.items() if values}
    return MethodChoice(method, [source.names[index] for index in tried], means, schedule.reason or reason)


def describe_choice(choice: MethodChoice) -> str:
    """One line for people."""
    reached = ", ".join(f"{name} {value:.3f}" for name, value in choice.hidden_j.items())
    on = f" (J on {len(choice.hidden)} hidden: {reached})" if reached else ""
    return f"method {choice.method}, {choice.reason}{on}"


def hidden_j(
    label: SoftLabel, truth: LabelArray, object_ids: Sequence[int], present: Sequence[bool]
) -> float:
    """Region J of a made label against the hidden one, the mean over the objects.

    Objects count that the hidden label or one of the labels beside it shows.

    Args:
        label: what a method made.
        truth: object ids of the hidden label (H, W).
        object_ids: the ids by channel.
        present: for each of them whether a label beside the hidden one shows it.
    """
    made = label.ids(object_ids)
    scores = [
        region_j(made == number, truth == number)
        for number, beside in zip(object_ids, present, strict=True)
        if beside or (truth == number).any()
    ]
    return fmean(scores)


def stream_tests(
    tests: Sequence[HiddenTest], source: FrameSource, masks: MaskSet, spill_folder: Path
) -> Iterator[Interval]:
    """Read the intervals of tests in one go; each is yielded when its second label has come by.

    Args:
        tests: by the index of the hidden frame, ascending.
        source: the video.
        masks: its masks.
        spill_folder: where frames of long intervals are put aside; the receiver closes `interval.frames`.
    """
    wanted = {index for test in tests for index in range(test.left, test.right + 1)}
    waiting, reading = list(tests), dict[HiddenTest, _Reading]()
    try:
        for frame in source.select(wanted):
            known: LabelledFrame | None = None
            for test in [test for test in reading if test.right <= frame.index]:
                read = reading.pop(test)
                if test.right == frame.index and test.hidden in read.between:
                    known = known or _labelled(frame, masks)
                    yield read.interval(test, known)
                else:
                    read.store.close()
            for read in reading.values():
                read.between.append(frame.index)
                read.store.put(frame)
            for test in [test for test in waiting if test.left <= frame.index]:
                waiting.remove(test)
                if test.left == frame.index:
                    known = known or _labelled(frame, masks)
                    reading[test] = _Reading(known, [], FrameStore(source, spill_folder))
    finally:
        for read in reading.values():
            read.store.close()


@dataclass(frozen=True)
class _Reading:
    """A test of which some frames have come by."""

    left: LabelledFrame
    between: list[int]
    store: FrameStore

    def interval(self, test: HiddenTest, right: LabelledFrame) -> Interval:
        passed = [index for index in self.between if index != test.hidden]
        return Interval(self.left, right, [test.hidden], self.store, passed)


def _labelled(frame: Frame, masks: MaskSet) -> LabelledFrame:
    labels = to_channels(masks.read(frame.name), masks.object_ids)
    return LabelledFrame(frame.index, frame.name, frame.rgb, labels)


def choose_method(scores: Mapping[str, Sequence[float]], default: str) -> tuple[str, str]:
    """The default, unless another method is better by more than chance.

    Both were tried on the same labels, so their differences count: another method must be better on average
    by more than half the standard error of that average, and by more than NOISE / sqrt(n), because a few
    differences do not tell their own spread.

    Args:
        scores: by method its J on each hidden label, in one order for all; each in [0, 1].
        default: the method that is taken in doubt.

    Returns:
        The method, and the reason in words.
    """
    if not scores[default]:
        return default, "no hidden label could be tried"
    best, lead = default, 0.0
    for name, own in scores.items():
        differences = [ours - theirs for ours, theirs in zip(own, scores[default], strict=True)]
        ahead = fmean(differences)
        if name != default and ahead > margin(differences) and ahead > lead:
            best, lead = name, ahead
    if best == default:
        return default, "no other method was clearly better on the hidden labels"
    return best, "clearly better on the hidden labels"


def margin(differences: Sequence[float]) -> float:
    """What the mean of these differences must exceed to count."""
    spread = stdev(differences) if len(differences) > 1 else 0.0
    return max(CAUTION * spread, NOISE) / sqrt(len(differences))
