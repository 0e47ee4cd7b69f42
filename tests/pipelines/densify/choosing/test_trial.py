"""Hidden labels are read in one pass, scored against what was hidden, and left out where they cannot be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.config.methods import METHODS
from vsodtool.media.masks.sparse import MaskSet, match_masks
from vsodtool.media.video.frames import FrameSource, open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.models.flow.dis import DisEstimator
from vsodtool.ops.boxes import Box
from vsodtool.pipelines.densify.choosing import trial
from vsodtool.pipelines.densify.choosing.hidden_labels import (
    HiddenTest,
    TrialSchedule,
    Trying,
    schedule_trial,
)
from vsodtool.pipelines.densify.choosing.trial import (
    NOISE,
    choose_method,
    decide,
    describe_choice,
    further_tests,
    hidden_js,
    margin,
    measure_methods,
    merged,
    tried_in_doubt,
    try_methods,
)
from vsodtool.pipelines.densify.filling.evidence import Evidence
from vsodtool.pipelines.densify.filling.fill import Finish
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval, SparseVideo
from vsodtool.pipelines.densify.method import Method, Wants
from vsodtool.pipelines.densify.motion import MotionEstimators
from vsodtool.pipelines.densify.setup import Candidates
from vsodtool.pipelines.densify.side_by_side import INTERVALS_AT_ONCE, Workers
from vsodtool.pipelines.densify.working_size import LINES
from vsodtool.types import MethodChoice

Film = Callable[..., Any]


class Says:
    """A method that answers with the left label, or with nothing, and remembers what it was given."""

    wants = Wants.LABELS

    def __init__(self, name: str, clip: Any) -> None:
        self.name, self.intervals = name, list[Interval]()
        self._clip = clip

    def generate(self, evidence: Evidence) -> SoftLabel:
        interval = evidence.interval
        for index in interval.sequence:
            assert np.abs(interval.rgb(index).astype(int) - self._clip.frames[index]).mean() < 20
        self.intervals.append(interval)
        assert interval.left is not None
        labels = interval.left.labels
        sure = torch.ones_like(labels[:, :1])
        return evidence.answer(labels if self.name == "left" else torch.zeros_like(labels), sure)


def opened(source: Path, masks: Path) -> tuple[FrameSource, MaskSet]:
    frames = open_frames(discover_videos([str(source)])[0])
    return frames, match_masks(masks, [frames])[frames.video.name]


def attempt(
    schedule: TrialSchedule,
    frames: FrameSource,
    masks: MaskSet,
    methods: Sequence[Says],
    folder: Path,
    **hears: Any,
) -> MethodChoice:
    estimators = MotionEstimators(DisEstimator(), DisEstimator())  # nothing moves by them here
    candidates = Candidates({method.name: method for method in methods}, estimators, "balanced", "")
    with ThreadPoolExecutor(1) as pool, ThreadPoolExecutor(INTERVALS_AT_ONCE) as drivers:
        video = SparseVideo(frames, masks, folder)
        return try_methods(video, schedule, candidates, Workers(pool, drivers), **hears)


def test_methods_are_compared_on_frames_of_the_size_that_they_will_see(
    tmp_path: Path, still: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, given_masks = still.write_folder(tmp_path / "clip"), tmp_path / "masks"
    frames, masks = opened(path, still.write_masks(given_masks, [0, 4, 8]))
    seen: list[float] = []
    monkeypatch.setattr(trial, "densify", lambda *_, finish, **__: seen.append(finish.lines))
    schedule = TrialSchedule([HiddenTest(0, 4, 8)])
    methods = [Says("one", still), Says("other", still)]
    assert attempt(schedule, frames, masks, methods, tmp_path).hidden == []
    assert seen == [LINES]


@pytest.fixture
def still(film: Film) -> Any:
    """Nine frames of a camera that does not move."""
    return film([(0, 0)] * 8)


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_overlapping_tests_in_one_pass(
    tmp_path: Path, still: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "file":
        for frame in still.frames:  # so that what a lossy video shows is near
            frame[:] = np.arange(frame.shape[1], dtype=np.uint8)[None, :, None]
    path = (
        still.write_folder(tmp_path / "clip")
        if kind == "folder"
        else still.write_video(tmp_path / "clip.mp4")
    )
    frames, masks = opened(path, still.write_masks(tmp_path / "masks", [0, 2, 5, 6, 8]))
    decoded: list[int] = []
    select = type(frames).select

    def spy(self: Any, indices: Any) -> Iterator[Any]:
        for frame in select(self, indices):
            decoded.append(frame.index)
            yield frame

    monkeypatch.setattr(type(frames), "select", spy)
    methods = [Says("nothing", still), Says("left", still)]
    schedule = TrialSchedule([HiddenTest(0, 2, 5), HiddenTest(2, 5, 6)])
    choice = attempt(schedule, frames, masks, methods, tmp_path)
    # Two are worked on side by side: which of them begins is left to the threads.
    jobs = sorted(methods[0].intervals, key=lambda job: job.targets)
    assert [(job.left.index, job.targets, job.passed, job.right.index) for job in jobs] == [  # type: ignore[union-attr]
        (0, [2], [1, 3, 4], 5),
        (2, [5], [3, 4], 6),
    ]
    assert decoded == list(range(7))  # no further than needed, each once
    assert choice.hidden == ["00002", "00005"]
    assert choice.hidden_j == {"nothing": 0.0, "left": 1.0}
    assert choice.method == "left"
    assert describe_choice(choice) == (
        "method left, clearly better on the hidden labels (J on 2 hidden: nothing 0.000, left 1.000)"
    )


@pytest.mark.parametrize(
    ("broken", "hidden"),
    [([2], ["00005"]), ([0], ["00005"]), ([5], []), ([6], ["00002"]), ([3], ["00002", "00005"])],
)
def test_what_does_not_decode_is_left_out(
    tmp_path: Path, still: Any, broken: Sequence[int], hidden: list[str]
) -> None:
    path = still.write_folder(tmp_path / "clip")
    frames, masks = opened(path, still.write_masks(tmp_path / "masks", [0, 2, 5, 6, 8]))
    for index in broken:
        (path / f"{index:05d}.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    if broken == [2]:  # also the left label of the second test
        hidden = []
    schedule = TrialSchedule([HiddenTest(0, 2, 5), HiddenTest(2, 5, 6)])
    choice = attempt(schedule, frames, masks, [Says("nothing", still), Says("left", still)], tmp_path)
    assert choice.hidden == hidden
    if not hidden:
        assert (choice.method, choice.reason) == ("nothing", "no hidden label could be tried")


def test_tests_may_be_made_apart(tmp_path: Path, still: Any) -> None:
    path = still.write_folder(tmp_path / "clip")
    frames, masks = opened(path, still.write_masks(tmp_path / "masks", [0, 2, 5, 6, 8]))
    (path / "00002.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    schedule = TrialSchedule([HiddenTest(0, 2, 5), HiddenTest(2, 5, 6), HiddenTest(5, 6, 8)])
    methods = [Says("nothing", still), Says("left", still)]
    estimators = MotionEstimators(DisEstimator(), DisEstimator())
    candidates = Candidates({method.name: method for method in methods}, estimators, "balanced", "")
    video = SparseVideo(frames, masks, tmp_path)
    apart: dict[int, Any] = {}
    with ThreadPoolExecutor(1) as pool:
        for test in reversed(schedule.tests):
            apart |= measure_methods(video, [test], candidates, Workers(pool))
    assert sorted(apart) == [6]
    choice = decide(video, schedule, candidates, apart)
    assert choice == attempt(schedule, frames, masks, methods, tmp_path)
    assert choice.hidden == ["00006"]


TWO = {3: (70, 70, 6, 6), 9: (85, 95, 6, 6)}
FIRST, MORE = [HiddenTest(0, 2, 5)], [HiddenTest(2, 5, 6), HiddenTest(5, 6, 8)]


@pytest.mark.parametrize(
    ("names", "hidden", "method"),
    [
        (["nothing", "left"], ["00002", "00005", "00006"], "left"),  # the other one is ahead: by luck?
        (["left", "nothing"], ["00002"], "left"),  # it stays whatever more tests would say
    ],
)
def test_more_is_hidden_where_another_method_is_ahead(
    tmp_path: Path, still: Any, names: list[str], hidden: list[str], method: str
) -> None:
    path = still.write_folder(tmp_path / "clip")
    frames, masks = opened(path, still.write_masks(tmp_path / "masks", [0, 2, 5, 6, 8]))
    told: list[list[HiddenTest]] = []
    choice = attempt(
        TrialSchedule(FIRST, more=MORE),
        frames,
        masks,
        [Says(name, still) for name in names],
        tmp_path,
        on_tests=told.append,
    )
    assert (choice.hidden, choice.method) == (hidden, method)
    assert told == ([FIRST, MORE] if len(hidden) > 1 else [FIRST])


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ({1: 0.9, 2: 0.5}, {1: 0.9, 2: 0.5}, []),
        ({1: 0.9, 2: 0.5}, {1: 0.904, 2: 0.504}, []),  # of one test .005 is nothing
        ({1: 0.9, 2: 0.5}, {1: 0.92, 2: 0.52}, MORE),
        ({1: 0.9, 2: 0.5}, {1: 0.3, 2: 0.6}, MORE),  # for one of the objects
        ({1: 0.9, 2: 0.5}, {1: 0.3, 2: 0.4}, []),
        ({}, {}, []),
    ],
)
def test_where_there_is_a_doubt(
    tmp_path: Path,
    still: Any,
    ours: dict[int, float],
    theirs: dict[int, float],
    expected: list[HiddenTest],
) -> None:
    frames, masks = opened(
        still.write_folder(tmp_path / "clip"), still.write_masks(tmp_path / "m", [0, 2, 5, 6, 8])
    )
    methods: dict[str, Method] = {"default": Says("default", still), "other": Says("other", still)}
    candidates = Candidates(methods, MotionEstimators(DisEstimator(), DisEstimator()), "balanced", "")
    scores = {2: {"default": ours, "other": theirs}}
    video = SparseVideo(frames, masks, tmp_path)
    assert further_tests(video, TrialSchedule(FIRST, more=MORE), candidates, scores) == expected
    assert further_tests(video, TrialSchedule(FIRST), candidates, scores) == []
    assert further_tests(video, TrialSchedule(FIRST, more=MORE), candidates, {}) == []


class SaysOnBoxes(Says):
    """The same, of a kind that neighbours steady."""

    wants = Wants.BOXES


def test_with_several_objects_labels_are_made_in_doubt_as_the_run_makes_them(
    tmp_path: Path, film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before smoothing one method may be behind that is ahead after it."""
    still = film([(0, 0)] * 8, objects=TWO)
    frames, masks = opened(
        still.write_folder(tmp_path / "clip"), still.write_masks(tmp_path / "m", [0, 2, 5, 6, 8], 1)
    )
    made: list[tuple[list[int], list[str], bool]] = []

    def densify(
        interval: Interval,
        methods: Sequence[Says],
        *_: Any,
        on_label: Callable[[str, SoftLabel], None],
        finish: Finish,
        **__: Any,
    ) -> None:
        made.append((interval.targets, [method.name for method in methods], finish.smooth))
        assert interval.left is not None
        for method in methods:
            right = (method.name == "steadied") if finish.smooth else (method.name == "bare")
            labels = interval.left.labels if right else torch.zeros_like(interval.left.labels)
            box = Box(0, 0, *interval.size)
            on_label(
                method.name, SoftLabel(interval.targets[0], interval.size, box, labels, labels[:, :1] * 0 + 1)
            )

    monkeypatch.setattr(trial, "densify", densify)
    choice = attempt(
        TrialSchedule(FIRST, more=MORE),
        frames,
        masks,
        [SaysOnBoxes("steadied", still), SaysOnBoxes("bare", still), Says("walks", still)],
        tmp_path,
    )
    every = ["steadied", "bare", "walks"]
    assert (
        sorted(made)
        == [
            ([2], every[:2], True),  # again; of the one that nothing steadies it is known
            ([2], every, False),
            ([5], every[:2], True),
            ([5], every[2:], False),
            ([6], every[:2], True),
            ([6], every[2:], False),
        ]
    )
    assert choice.method == "steadied"
    assert choice.hidden_j == {"steadied": 1.0, "bare": 0.0, "walks": 0.0}


def test_what_is_tried_in_doubt_is_in_order(still: Any) -> None:
    methods: dict[str, Method] = {"default": SaysOnBoxes("default", still), "other": Says("other", still)}
    candidates = Candidates(methods, MotionEstimators(DisEstimator(), DisEstimator()), "balanced", "")
    schedule = TrialSchedule([HiddenTest(2, 5, 6)], more=[HiddenTest(0, 2, 5), HiddenTest(5, 6, 8)])
    assert tried_in_doubt(schedule, candidates, 1) == schedule.more
    assert tried_in_doubt(schedule, candidates, 2) == [
        HiddenTest(0, 2, 5, Trying.SMOOTHED),
        HiddenTest(2, 5, 6, Trying.AGAIN),
        HiddenTest(5, 6, 8, Trying.SMOOTHED),
    ]


def test_what_was_measured_later_counts() -> None:
    first = {2: {"a": {1: 0.1}, "b": {1: 0.2}}, 5: {"a": {1: 0.3}}}
    later = {2: {"a": {1: 0.4}}, 6: {"a": {1: 0.5}}}
    assert merged([first, later]) == {
        2: {"a": {1: 0.4}, "b": {1: 0.2}},
        5: {"a": {1: 0.3}},
        6: {"a": {1: 0.5}},
    }
    assert first[2]["a"] == {1: 0.1}
    assert merged([]) == {}


@pytest.mark.parametrize(
    ("reached", "method", "objects"),
    [
        # One is far better off with the other method, so that it leads on the whole video as well.
        ({3: [0.9, 0.9], 9: [0.5, 0.5]}, "other", {"3": "default", "9": "other"}),
        ({3: [0.9, 0.9], 9: [0.9, 0.9]}, "default", {}),
        ({3: [0.8, 0.8], 9: [0.5, 0.5]}, "other", {}),
        # What no object tells by itself all may tell together.
        ({3: [0.76, 1.0], 9: [1.0, 0.76]}, "other", {}),
        ({3: [0.8, 0.8], 9: [1.0, 1.0]}, "default", {"3": "other", "9": "default"}),
    ],
)
def test_an_object_stays_with_the_default_in_doubt(
    tmp_path: Path, film: Film, reached: dict[int, list[float]], method: str, objects: dict[str, str]
) -> None:
    """What the default has reached on two labels; the other method has .9 everywhere."""
    clip = film([(0, 0)] * 8, objects=TWO)
    frames, masks = opened(
        clip.write_folder(tmp_path / "clip"), clip.write_masks(tmp_path / "m", [0, 2, 5, 8], 1)
    )
    methods: dict[str, Method] = {name: SaysOnBoxes(name, clip) for name in ("default", "other")}
    candidates = Candidates(methods, MotionEstimators(DisEstimator(), DisEstimator()), "balanced", "")
    schedule = TrialSchedule([HiddenTest(0, 2, 5), HiddenTest(2, 5, 8)])
    scores = {
        test.hidden: {
            "default": {number: js[at] for number, js in reached.items()},
            "other": dict.fromkeys(reached, 0.9),
        }
        for at, test in enumerate(schedule.tests)
    }
    choice = decide(SparseVideo(frames, masks, tmp_path), schedule, candidates, scores)
    assert (choice.method, choice.objects) == (method, objects)


@pytest.mark.parametrize(
    ("objects", "lead", "chosen"),
    [(2, 0.008, "fgplg"), (2, 0.013, "warp"), (1, 0.008, "warp")],
)
def test_with_several_objects_warp_must_be_ahead_by_more_where_hidden_labels_are_further(
    tmp_path: Path, film: Film, objects: int, lead: float, chosen: str
) -> None:
    clip = film([(0, 0)] * 8, objects=dict(list(TWO.items())[:objects]))
    frames, masks = opened(
        clip.write_folder(tmp_path / "clip"), clip.write_masks(tmp_path / "m", [0, 2, 4, 6, 8], 1)
    )
    methods: dict[str, Method] = {name: SaysOnBoxes(name, clip) for name in ("fgplg", "warp")}
    candidates = Candidates(methods, MotionEstimators(DisEstimator(), DisEstimator()), "balanced", "")
    # Two frames from a label each way is a reach of 1; the frames to fill have one of .5.
    assert METHODS["warp"].handicap * 0.5 == pytest.approx(0.007)
    schedule = TrialSchedule([HiddenTest(0, 2, 4)], more=[HiddenTest(4, 6, 8)])
    ids = list(TWO)[:objects]
    scores = {
        hidden: {"fgplg": dict.fromkeys(ids, 0.8), "warp": dict.fromkeys(ids, 0.8 + lead)}
        for hidden in (2, 6)
    }
    video = SparseVideo(frames, masks, tmp_path)
    assert bool(further_tests(video, schedule, candidates, {2: scores[2]})) == (chosen == "warp")
    choice = decide(video, schedule, candidates, scores)
    assert (choice.method, choice.objects) == (chosen, {})
    assert choice.hidden_j["warp"] == pytest.approx(0.8 + lead)  # as it was measured


def test_a_test_is_told_of_while_it_is_made(tmp_path: Path, still: Any) -> None:
    frames, masks = opened(
        still.write_folder(tmp_path / "clip"), still.write_masks(tmp_path / "m", [0, 4, 8])
    )

    class SaysAlongFlow(Says):
        wants = Wants.BOXES

    test, told = HiddenTest(0, 4, 8), list[tuple[HiddenTest, int]]()
    attempt(
        TrialSchedule([test]),
        frames,
        masks,
        [SaysAlongFlow("nothing", still)],
        tmp_path,
        on_flow=lambda test, pairs: told.append((test, pairs)),
        on_tried=lambda test: told.append((test, -1)),
    )
    assert {each for each, _ in told} == {test}
    assert [count for _, count in told][-1] == -1
    assert sum(count for _, count in told[:-1]) == 8  # between nine frames


def test_a_plan_says_why_nothing_is_tried(tmp_path: Path, still: Any) -> None:
    source = still.write_folder(tmp_path / "clip")
    for name, labels, reason in (
        ("two", [0, 8], "fewer than 3 labelled frames"),
        ("all", range(9), "every frame is labelled"),
        ("some", [0, 4, 8], ""),
    ):
        schedule = schedule_trial(*opened(source, still.write_masks(tmp_path / name, labels)))
        assert schedule.reason == reason
        assert schedule.tests == ([] if reason else [HiddenTest(0, 4, 8)])
    for truth in still.truth[:4] + still.truth[5:]:
        truth[:] = 0
    frames, masks = opened(source, still.write_masks(tmp_path / "lone", [0, 4, 8]))
    schedule = schedule_trial(frames, masks)
    assert schedule == TrialSchedule([], "no label beside a hidden one shows an object")
    choice = attempt(schedule, frames, masks, [Says("nothing", still)], tmp_path)
    assert choice == MethodChoice("nothing", [], {}, schedule.reason)


def test_j_of_several_objects_is_the_mean_over_those_that_a_label_shows() -> None:
    truth = np.zeros((4, 6), np.uint16)
    truth[:2, :2] = 3
    truth[2:, :2] = 9
    labels = torch.zeros(1, 3, 4, 6)
    labels[0, 0, :2, :4] = 1  # id 3: half of it is right
    labels[0, 2, :, 4:] = 0.9  # id 40: not there
    sure = torch.ones(1, 1, 4, 6)

    def mean_j(*arguments: Any) -> float:
        return fmean(hidden_js(*arguments).values())

    dense = SoftLabel(0, (4, 6), Box(0, 0, 4, 6), labels, sure)
    assert mean_j(dense, truth, [3, 9, 40], [True, False, False]) == pytest.approx(0.25)
    assert mean_j(dense, truth, [3, 9, 40], [True, False, True]) == pytest.approx(0.5 / 3)
    # An object that neither shows, and that nothing was made of, would count as right.
    assert mean_j(dense, truth, [3, 9, 50], [True, True, False]) == pytest.approx(0.25)


def test_margin_is_half_the_standard_error_but_never_certain() -> None:
    assert margin([0.5]) == NOISE
    assert margin([0.1, 0.1, 0.1, 0.1]) == NOISE / 2
    assert margin([0.0, 0.2]) == pytest.approx(0.05)  # standard deviation 0.1414 / sqrt(2) / 2


@pytest.mark.parametrize(
    ("other", "default", "chosen"),
    [
        ([0.9], [0.9 - NOISE / 2], "default"),  # better, but one label may say so by chance
        ([0.9], [0.9 - 2 * NOISE], "other"),
        ([0.9, 0.9, 0.9, 0.9], [0.897, 0.897, 0.897, 0.897], "other"),  # as small, but four times
        ([0.9, 0.5], [0.85, 0.53], "default"),  # once better, once worse
        ([0.9, 0.7], [0.8, 0.55], "other"),
        ([0.5, 0.5], [0.9, 0.9], "default"),
        ([1.0, 1.0], [1.0, 1.0], "default"),
    ],
)
def test_two_methods(other: list[float], default: list[float], chosen: str) -> None:
    assert choose_method({"default": default, "other": other}, "default")[0] == chosen
    assert choose_method({"other": other, "default": default}, "default")[0] == chosen


def test_a_handicap_is_what_a_method_must_be_ahead_by_besides() -> None:
    scores = {"a": [0.80, 0.80], "b": [0.85, 0.85], "c": [0.83, 0.83]}
    assert choose_method(scores, "a", {"b": 0.04})[0] == "c"
    assert choose_method(scores, "a", {"b": 0.04, "c": 0.04})[0] == "b"
    assert choose_method(scores, "a", {"b": 0.05, "c": 0.03})[0] == "a"
    assert choose_method(scores, "b", {"b": 0.04})[0] == "c"  # that the default has one, too


def test_the_best_of_several() -> None:
    scores = {"a": [0.5, 0.5], "b": [0.7, 0.7], "c": [0.8, 0.8], "d": [1.0, 0.2]}
    assert choose_method(scores, "a") == ("c", "clearly better on the hidden labels")
    assert choose_method(scores, "c") == ("c", "no other method was clearly better on the hidden labels")


def test_nothing_tried() -> None:
    assert choose_method({"a": [], "b": []}, "b") == ("b", "no hidden label could be tried")


scored = st.integers(1, 6).flatmap(
    lambda count: st.lists(st.tuples(*[st.floats(0, 1)] * 2), min_size=count, max_size=count)
)


@given(scored)
def test_never_one_that_was_worse(pairs: list[tuple[float, float]]) -> None:
    default, other = (list(values) for values in zip(*pairs, strict=True))
    chosen, _ = choose_method({"default": default, "other": other}, "default")
    if chosen == "other":
        assert sum(other) - sum(default) > NOISE * len(pairs) ** 0.5 - 1e-9
    back, _ = choose_method({"default": default, "other": other}, "other")
    assert (chosen, back) != ("other", "default")
