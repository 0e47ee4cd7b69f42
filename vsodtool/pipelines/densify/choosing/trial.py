"""Try methods on labels that are hidden from them, and choose one for the video (`--method auto`)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from functools import partial
from math import sqrt
from statistics import fmean, stdev
from types import MappingProxyType
from typing import TypeAlias

from vsodtool.config.methods import METHODS
from vsodtool.media.video.frame_store import FrameStore
from vsodtool.metrics import region_j
from vsodtool.ops.suggesting.reach import reach
from vsodtool.pipelines.densify.choosing.hidden_labels import (
    HiddenTest,
    TrialSchedule,
    Trying,
    typical_reach,
)
from vsodtool.pipelines.densify.filling.fill import Finish, densify
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval, LabelledFrame, Reading, SparseVideo
from vsodtool.pipelines.densify.method import Method, Wants, is_smoothed
from vsodtool.pipelines.densify.setup import Candidates
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.pipelines.densify.working_size import LINES
from vsodtool.types import LabelArray, MethodChoice

# benchmarks/choose_method.py: of margins that leave something to chance, small ones lost least.
NOISE = 0.005  # J by which two methods differ on one label without one being better; the least assumed
CAUTION = 0.5  # standard errors
FAR_BELOW = (
    0.1  # J below that of repeating masks from which on something is wrong with these: benchmarks/fit.py
)

NO_HANDICAPS: Mapping[str, float] = MappingProxyType({})

Scores: TypeAlias = dict[int, dict[str, dict[int, float]]]  # J by hidden frame, method and object


def try_methods(
    video: SparseVideo,
    schedule: TrialSchedule,
    candidates: Candidates,
    workers: Workers,
    *,
    on_tests: Callable[[Sequence[HiddenTest]], None] = lambda _: None,
    on_tried: Callable[[HiddenTest], None] = lambda _: None,
    on_flow: Callable[[HiddenTest, int], None] = lambda _, __: None,
) -> MethodChoice:
    """Make the hidden labels again with each candidate and choose.

    Args:
        video: with its masks.
        schedule: of the video.
        candidates: the methods.
        workers: do the work.
        on_tests: told of the tests that are to be made, before them: once, or in doubt twice.
        on_tried: as in `measure_methods`.
        on_flow: likewise.
    """

    def measure(tests: Sequence[HiddenTest]) -> Scores:
        on_tests(tests)
        return measure_methods(video, tests, candidates, workers, on_tried=on_tried, on_flow=on_flow)

    scores = measure(schedule.tests)
    more = further_tests(video, schedule, candidates, scores)
    if more:
        scores = merged([scores, measure(more)])
    return decide(video, schedule, candidates, scores)


def further_tests(
    video: SparseVideo, schedule: TrialSchedule, candidates: Candidates, scores: Scores
) -> list[HiddenTest]:
    """The tests that are made besides: where another method than the default was ahead in the first ones.

    Whether it is better or was lucky two tests seldom tell: their differences do not tell their own spread.
    Where the default is ahead it stays anyway.

    Args:
        video: with its masks.
        schedule: of the video.
        candidates: the methods.
        scores: what was measured in the first tests.

    Returns:
        Those of `tried_in_doubt` where, of the video or of one of its objects, another method leads by more
        than NOISE and its handicap; else none.
    """
    default, *others = candidates.names
    handicaps = _handicaps(video, schedule, candidates)
    objects = {number for reached in scores.values() for number in reached[default]}
    for asked in (objects, *({number} for number in objects)):
        means = {
            name: [fmean(found) for reached in scores.values() if (found := _of(reached[name], asked))]
            for name in candidates.names
        }
        tried = len(means[default])
        if tried and any(
            fmean(means[name]) - fmean(means[default]) > NOISE / sqrt(tried) + handicaps.get(name, 0.0)
            for name in others
        ):
            return tried_in_doubt(schedule, candidates, len(video.masks.object_ids))
    return []


def tried_in_doubt(schedule: TrialSchedule, candidates: Candidates, objects: int) -> list[HiddenTest]:
    """What is tried where the first tests leave a doubt, by the index of the hidden frame, ascending.

    The first tests are made without the smoothing of the run. Where objects meet that harms one method more
    than another, with one object it does not (benchmarks/TRIED.md, "Which method for an object").

    Args:
        schedule: of the video.
        candidates: the methods.
        objects: how many the video has.

    Returns:
        The further tests; with several objects smoothed, and the first ones again, smoothed.
    """
    smoothed = any(is_smoothed(each, candidates.quality) for each in candidates.methods.values())
    if objects < 2 or not smoothed:
        return schedule.more
    tests = [replace(test, trying=Trying.AGAIN) for test in schedule.tests]
    tests += [replace(test, trying=Trying.SMOOTHED) for test in schedule.more]
    return sorted(tests, key=lambda test: test.hidden)


def merged(measured: Iterable[Scores]) -> Scores:
    """What was measured first and later; of the same it is the later that counts."""
    scores: Scores = {}
    for each in measured:
        for hidden, by_method in each.items():
            scores[hidden] = scores.get(hidden, {}) | by_method
    return scores


def _of(by_object: Mapping[int, float], asked: Set[int]) -> list[float]:
    return [value for number, value in by_object.items() if number in asked]


def measure_methods(
    video: SparseVideo,
    tests: Sequence[HiddenTest],
    candidates: Candidates,
    workers: Workers,
    *,
    on_tried: Callable[[HiddenTest], None] = lambda _: None,
    on_flow: Callable[[HiddenTest, int], None] = lambda _, __: None,
) -> Scores:
    """Make the hidden labels again with each candidate.

    The video is read once, to the last hidden interval. A test whose frame or labels do not decode is left
    out. Tests do not depend on each other, so they may be measured apart and the scores put together.

    Args:
        video: with its masks.
        tests: of its schedule, ascending.
        candidates: the methods.
        workers: do the work.
        on_tried: told of each test that is done; called from several threads.
        on_flow: told, likewise, of between how many more neighbours of a test the flow is known.
    """
    source, masks = video.source, video.masks
    scores: Scores = {}
    lock = threading.Lock()

    def attempt(interval: Interval) -> None:
        (hidden,) = interval.targets
        truth = masks.read(source.names[hidden])

        def score(name: str, label: SoftLabel) -> None:
            reached = hidden_js(label, truth, masks.object_ids, interval.present)
            with lock:
                scores.setdefault(hidden, {})[name] = reached

        test = by_hidden[hidden]
        for smooth, methods in _asked(test.trying, candidates):
            densify(
                interval,
                methods,
                candidates.flow_of(methods),
                workers=workers,
                on_label=score,
                on_flow=partial(on_flow, test),
                finish=Finish(smooth=smooth, min_part=candidates.min_part, lines=LINES),
            )
        on_tried(test)

    by_hidden = {test.hidden: test for test in tests}
    if tests:
        workers.each(stream_tests(video, tests), attempt)
    return scores


def _asked(trying: Trying, candidates: Candidates) -> Iterator[tuple[bool, list[Method]]]:
    """Whether labels are smoothed over time, and the methods that make them so."""
    every = list(candidates.methods.values())
    smoothed = [each for each in every if is_smoothed(each, candidates.quality)]
    if trying is Trying.BARE:
        yield False, every
        return
    yield True, smoothed
    others = [each for each in every if each not in smoothed]
    if trying is Trying.SMOOTHED and others:
        yield False, others


def decide(
    video: SparseVideo, schedule: TrialSchedule, candidates: Candidates, scores: Scores
) -> MethodChoice:
    """The method for a video, and for each of its objects, by what was measured.

    Of several objects one that is clearly better off with another method explains why that one leads on the
    whole video: the others stay with the default unless they are, too. And hidden labels are further from
    those beside them than the frames to fill: where objects meet that harms some methods more than others,
    and those that it harms less must be ahead by their handicap.
    """
    masks, names = video.masks, video.source.names
    tried = sorted(scores)
    default = candidates.names[0]
    handicaps = _handicaps(video, schedule, candidates)
    by_method = {name: [fmean(scores[index][name].values()) for index in tried] for name in candidates.names}
    method, reason = choose_method(by_method, default, handicaps)
    choice = MethodChoice(
        method, [names[index] for index in tried], _means(by_method), schedule.reason or reason
    )
    boxed = [name for name, each in candidates.methods.items() if each.wants is Wants.BOXES]
    if len(masks.object_ids) < 2 or len(boxed) < 2 or method not in boxed:
        return choice  # only of one box can labels be put together
    by_object = {
        number: {
            name: [scores[index][name][number] for index in tried if number in scores[index][name]]
            for name in boxed
        }
        for number in masks.object_ids
    }
    usual = default if default in boxed else method
    chosen = {str(number): choose_method(js, usual, handicaps)[0] for number, js in by_object.items()}
    return replace(
        choice,
        objects={} if set(chosen.values()) in ({method}, {usual}) else chosen,
        objects_j={str(number): means for number, js in by_object.items() if (means := _means(js))},
    )


def _handicaps(video: SparseVideo, schedule: TrialSchedule, candidates: Candidates) -> Mapping[str, float]:
    """By how much J some methods must be ahead, by name; none where there is one object."""
    if len(video.masks.object_ids) < 2 or not schedule.tests:
        return NO_HANDICAPS
    index_of = {name: index for index, name in enumerate(video.source.names)}
    labels = [index_of[name] for name in video.masks.names]
    hidden = fmean(reach(test.hidden - test.left, test.right - test.hidden) for test in schedule.tests)
    further = max(hidden - typical_reach(labels, len(index_of), video.shots), 0.0)
    return {name: METHODS[name].handicap * further for name in candidates.names if name in METHODS}


def _means(by_method: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: round(fmean(values), 4) for name, values in by_method.items() if values}


def copied_j(video: SparseVideo, schedule: TrialSchedule) -> float:
    """Mean J of the nearest label, taken for the hidden one, over the tests; 0 without any."""
    names, masks = video.source.names, video.masks
    scores = []
    for test in schedule.tests:
        nearest = min((test.left, test.right), key=lambda index: abs(index - test.hidden))
        copy, truth = masks.read(names[nearest]), masks.read(names[test.hidden])
        scores += [
            region_j(copy == number, truth == number)
            for number in masks.object_ids
            if (truth == number).any() or (copy == number).any()
        ]
    return fmean(scores) if scores else 0.0


def describe_choice(choice: MethodChoice) -> str:
    """One line for people."""
    reached = ", ".join(f"{name} {value:.3f}" for name, value in choice.hidden_j.items())
    on = f" (J on {len(choice.hidden)} hidden: {reached})" if reached else ""
    others = [f"object {number}: {name}" for number, name in choice.objects.items() if name != choice.method]
    but = "; ".join(["", *others])
    return f"method {choice.method}, {choice.reason}{on}{but}"


def hidden_js(
    label: SoftLabel, truth: LabelArray, object_ids: Sequence[int], present: Sequence[bool]
) -> dict[int, float]:
    """Region J of a made label against the hidden one, by object.

    Objects count that the hidden label or one of the labels beside it shows.

    Args:
        label: what a method made.
        truth: object ids of the hidden label (H, W).
        object_ids: the ids by channel.
        present: for each of them whether a label beside the hidden one shows it.
    """
    made = label.ids(object_ids)
    return {
        number: region_j(made == number, truth == number)
        for number, beside in zip(object_ids, present, strict=True)
        if beside or (truth == number).any()
    }


def stream_tests(video: SparseVideo, tests: Sequence[HiddenTest]) -> Iterator[Interval]:
    """Read the intervals of tests in one go; each is yielded when its second label has come by.

    Args:
        video: with its masks.
        tests: by the index of the hidden frame, ascending.
    """
    wanted = {index for test in tests for index in range(test.left, test.right + 1)}
    waiting, readings = list(tests), dict[HiddenTest, Reading]()
    try:
        for frame in video.source.select(wanted):
            ended = [test for test in readings if test.right <= frame.index]
            begun = [test for test in waiting if test.left <= frame.index]
            waiting = [test for test in waiting if test.left > frame.index]
            known: LabelledFrame | None = None
            if any(frame.index in (test.left, test.right) for test in (*ended, *begun)):
                known = LabelledFrame(frame.index, frame.name, frame.rgb, video.labels(frame))
            for test in ended:
                reading = readings.pop(test)
                if test.right == frame.index and test.hidden in reading.indices:
                    yield reading.end(known, [test.hidden])
                else:
                    reading.frames.close()
            for reading in readings.values():
                reading.add(frame)
            for test in begun:
                if test.left == frame.index:
                    readings[test] = Reading(known, FrameStore(video.source, video.spill_folder))
    finally:
        for reading in readings.values():
            reading.frames.close()


def choose_method(
    scores: Mapping[str, Sequence[float]], default: str, handicaps: Mapping[str, float] = NO_HANDICAPS
) -> tuple[str, str]:
    """The default, unless another method is better by more than chance.

    Both were tried on the same labels, so their differences count: another method must be better on average
    by more than half the standard error of that average, and by more than NOISE / sqrt(n), because a few
    differences do not tell their own spread.

    Args:
        scores: by method its J on each hidden label, in one order for all; each in [0, 1].
        default: the method that is taken in doubt.
        handicaps: by method J by which it must be ahead besides; none of it for those that are not named.

    Returns:
        The method, and the reason in words.
    """
    if not scores[default]:
        return default, "no hidden label could be tried"
    best, lead = default, 0.0
    for name, own in scores.items():
        given = handicaps.get(name, 0.0) - handicaps.get(default, 0.0)
        differences = [ours - theirs - given for ours, theirs in zip(own, scores[default], strict=True)]
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
