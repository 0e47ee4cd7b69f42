"""Who does what, and what becomes of it when workers or videos fail; workers are in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest

from vsodtool.errors import DataError, DeviceError
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.resume import describe_run, start_or_resume
from vsodtool.media.output.run_state import ResumeState
from vsodtool.media.video.inputs import VideoInput, discover_videos
from vsodtool.pipelines.running.dispatch import TRIES_AGAIN, Dispatch, News
from vsodtool.pipelines.running.reports import Outcome, VideoReport
from vsodtool.pipelines.running.units import Assignment, Division, Stage, Task, Unit, Worker
from vsodtool.pipelines.running.video_state import Message, VideoState
from vsodtool.types import Event, FrameRecord, FrameStatus, OnEvent


def videos(folder: Path, lengths: dict[str, int]) -> list[VideoInput]:
    for name, length in lengths.items():
        (folder / "in" / name).mkdir(parents=True)
        for index in range(length):
            picture = np.full((8, 8, 3), index, np.uint8)
            assert cv2.imwrite(str(folder / "in" / name / f"{index}.png"), picture)
    return discover_videos([str(folder / "in" / name) for name in lengths])


def record(video: str, frame: str) -> FrameRecord:
    return FrameRecord(video, frame, FrameStatus.GENERATED, "", "", 0.5)


@dataclass
class Bench:
    """Finishes frames without files; the first of a video in `begin`."""

    made: list[tuple[str, str]] = field(default_factory=list)
    refuse: dict[str, Exception] = field(default_factory=dict)
    questions: Sequence[int] = ()
    further: Sequence[int] = ()
    answers: Sequence[int] = ()

    def make(self, task: Task, state: VideoState, on_event: OnEvent) -> Outcome[VideoReport]:
        on_event(Event("notice", task.name, f"{task.name}: seen"))
        if task.name in self.refuse:
            raise self.refuse[task.name]
        names = [str(index) for index in range(task.frames)]
        self._make(task, [name for name in names if name not in state.finished(task.name)], state)
        on_event(Event("done", task.name, "all of it"))
        report = VideoReport(task.name, task.frames)
        return Outcome(report, [], [record(task.name, name) for name in names])

    def begin(
        self, task: Task, state: VideoState, on_event: OnEvent, most: int, answers: Sequence[int]
    ) -> Division:
        on_event(Event("notice", task.name, f"{task.name}: begun"))
        state.settle_cuts(task.name, [2])
        open_ = [*self.questions, *self.further][len(answers) :]
        if open_:
            return Division(questions=open_ if answers else self.questions)
        self.answers = answers
        self._make(task, ["0"], state)
        rest = [str(index) for index in range(1, task.frames)]
        return Division([rest[start : start + most] for start in range(0, len(rest), most)])

    def answer(self, task: Task, question: int, state: VideoState, on_event: OnEvent) -> int:
        on_event(Event("notice", task.name, f"{task.name}: asked"))
        assert state.cuts(task.name) == [2]
        return question**2

    def fill(self, task: Task, frames: Sequence[str], state: VideoState, on_event: OnEvent) -> None:
        on_event(Event("notice", task.name, f"{task.name}: begun"))
        on_event(Event("warning", task.name, f"{task.name}: a shot without a mask"))
        assert state.cuts(task.name) == [2]
        self._make(task, frames, state)

    def _make(self, task: Task, frames: Sequence[str], state: VideoState) -> None:
        for frame in frames:
            self.made.append((task.name, frame))
            state.commit([record(task.name, frame)])


@dataclass
class Crew:
    """So many workers, who tell a message each time they are asked; some are lost."""

    worker: Worker
    size: int = 2
    lose: dict[str, list[int]] = field(default_factory=dict)  # messages told before it is lost, by video
    busy: list[tuple[Unit[Task], Iterator[list[Message]], int]] = field(default_factory=list)
    order: list[tuple[str, Stage]] = field(default_factory=list)

    @property
    def free(self) -> int:
        return self.size - len(self.busy)

    def hand_out(self, given: Assignment[Task]) -> None:
        fates = self.lose.get(given.unit.task.name, [])
        told = fates.pop(0) if fates else -1
        messages = [[each] for batch in self.worker.work(given) for each in batch]
        cut = iter(messages if told < 0 else messages[:told])
        self.order.append((given.unit.task.name, given.unit.stage))
        self.busy.append((given.unit, cut, told))

    def news(self) -> list[News[Task]]:
        unit, messages, told = self.busy.pop(0)
        batch = next(messages, None)
        if batch is not None:
            rest = list(messages)
            if rest or told >= 0:
                self.busy.append((unit, iter(rest), told))
        return [News(unit, batch)]


@dataclass
class Run:
    """A run over small videos."""

    folder: Path
    lengths: dict[str, int]
    bench: Bench = field(default_factory=Bench)
    lose: dict[str, list[int]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    divisible: bool = False

    def __post_init__(self) -> None:
        self.videos = videos(self.folder, self.lengths)
        self.layout = OutputLayout(self.folder / "out")
        self.crew = Crew(Worker(self.bench, self.layout, None), lose=self.lose)
        self.tasks = [Task(each, len(each.files), self.divisible) for each in self.videos]

    def state(self) -> ResumeState:
        names = {each.name: [path.stem for path in each.files] for each in self.videos}
        return start_or_resume(self.layout, describe_run("x", {}, self.videos, {}), frames=names)

    def dispatch(self, state: ResumeState) -> Dispatch[Task]:
        return Dispatch(self.tasks, self.crew, state, self.events.append)

    def told(self, kind: str) -> list[str]:
        return [event.message for event in self.events if event.kind == kind]


def test_the_longest_video_is_first_and_every_frame_is_made_once(tmp_path: Path) -> None:
    run = Run(tmp_path, {"a": 3, "b": 9, "c": 5})
    with run.state() as state:
        result = run.dispatch(state).run()
        state.finish([each for name in "abc" for each in result.outcomes[name].records], 1.0)
    assert run.crew.order == [(name, Stage.WHOLE) for name in "bca"]
    assert sorted(run.bench.made) == sorted(
        (name, str(index)) for name, length in run.lengths.items() for index in range(length)
    )
    assert result.failed == {}
    rows = (tmp_path / "out/frames.csv").read_text().splitlines()
    assert len(rows) == 1 + 3 + 9 + 5
    assert run.events[-1] == Event("done", "3 videos", "", 17, 17)
    assert sorted(run.told("notice")) == [
        "a: seen",
        "all of it",
        "all of it",
        "all of it",
        "b: seen",
        "c: seen",
    ]


def test_a_video_is_divided_its_beginning_first_and_what_it_has_in_common_once(tmp_path: Path) -> None:
    run = Run(tmp_path, {"a": 33, "b": 1}, divisible=True)
    with run.state() as state:
        result = run.dispatch(state).run()
        assert state.cuts("a") == [2]
    stages = [stage for name, stage in run.crew.order if name == "a"]
    assert stages == [Stage.BEGIN, *[Stage.PART] * 8, Stage.WHOLE]  # 34 frames for 2 workers: 4 a part
    assert sorted(run.bench.made) == sorted([("b", "0"), *(("a", str(index)) for index in range(33))])
    assert len(result.outcomes["a"].records) == 33
    assert run.told("notice").count("a: begun") == 1
    assert run.told("warning") == ["a: a shot without a mask"]
    assert "a: seen" not in run.told("notice")


@pytest.mark.parametrize("lose", [{}, {"a": [-1, 0, -1, 1]}])
def test_what_a_beginning_asks_is_answered_side_by_side(tmp_path: Path, lose: dict[str, list[int]]) -> None:
    run = Run(tmp_path, {"a": 9}, Bench(questions=[3, 1, 2]), lose=lose, divisible=True)
    with run.state() as state:
        result = run.dispatch(state).run()
    asked = [stage for _, stage in run.crew.order]
    answered = 3 + len([told for told in (0, 1) if lose])  # those of lost workers again
    assert asked[: answered + 2] == [Stage.BEGIN, *[Stage.ANSWER] * answered, Stage.BEGIN]
    assert run.bench.answers == [9, 1, 4]  # in the order of the questions
    assert sorted(run.bench.made) == [("a", str(index)) for index in range(9)]
    assert len(result.outcomes["a"].records) == 9
    assert run.told("notice") == ["a: begun", "all of it"]


def test_a_beginning_may_ask_again(tmp_path: Path) -> None:
    run = Run(tmp_path, {"a": 9}, Bench(questions=[3, 1], further=[5, 2]), divisible=True)
    with run.state() as state:
        run.dispatch(state).run()
    answers = [Stage.ANSWER, Stage.ANSWER]
    asked = [stage for _, stage in run.crew.order]
    assert asked[:7] == [Stage.BEGIN, *answers, Stage.BEGIN, *answers, Stage.BEGIN]
    assert run.bench.answers == [9, 1, 25, 4]


def test_a_lost_unit_goes_on_where_it_was(tmp_path: Path) -> None:
    run = Run(tmp_path, {"a": 4, "b": 2}, lose={"a": [3]})  # a notice and two frames were heard of
    with run.state() as state:
        result = run.dispatch(state).run()
    assert result.failed == {}
    assert run.told("warning") == ["a: its worker was lost; it is tried again"]
    again = [frame for name, frame in run.bench.made if name == "a"]
    assert again == ["0", "1", "2", "3", "2", "3"]


def test_a_unit_that_is_lost_again_and_again_is_named_and_the_others_are_made(tmp_path: Path) -> None:
    run = Run(tmp_path, {"a": 4, "b": 2}, lose={"a": [0] * 9})
    with run.state() as state:
        result = run.dispatch(state).run()
    assert list(result.outcomes) == ["b"]
    assert list(result.failed) == ["a"]
    assert f"lost {TRIES_AGAIN + 1} times" in result.failed["a"]
    assert len(run.lose["a"]) == 9 - 1 - TRIES_AGAIN
    with run.state() as state:  # the next run finds what was made
        assert list(state.finished("b")) == ["0", "1"]


def test_finished_frames_begin_the_count_anew(tmp_path: Path) -> None:
    run = Run(tmp_path, {"a": 6, "b": 1}, lose={"a": [0, 0, 0, 2, 0, 0]})  # 2: a notice, a frame
    with run.state() as state:
        assert run.dispatch(state).run().failed == {}


def test_a_refused_video_is_not_tried_again(tmp_path: Path) -> None:
    bench = Bench(refuse={"a": DataError("bad frames", "replace them")})
    run = Run(tmp_path, {"a": 4, "b": 2}, bench)
    with run.state() as state:
        result = run.dispatch(state).run()
    assert result.failed == {"a": "a: bad frames"}
    assert [name for name, _ in run.crew.order].count("a") == 1
    assert list(result.outcomes) == ["b"]


def test_what_was_wrong_with_a_refused_video_is_kept(tmp_path: Path) -> None:
    error = DataError("bad frames", "replace them")
    run = Run(tmp_path, {"a": 4}, Bench(refuse={"a": error}))
    with run.state() as state:
        result = run.dispatch(state).run()
    assert [(each.message, each.hint) for each in result.refused.values()] == [("bad frames", "replace them")]


@pytest.mark.parametrize("error", [DeviceError("disk full"), ZeroDivisionError("a bug")])
def test_what_concerns_everything_ends_the_run(tmp_path: Path, error: Exception) -> None:
    run = Run(tmp_path, {"a": 4, "b": 2}, Bench(refuse={"a": error}))
    with run.state() as state, pytest.raises(type(error), match=str(error)):
        run.dispatch(state).run()


def test_a_video_that_a_worker_does_not_see_is_refused_there(tmp_path: Path) -> None:
    run = Run(tmp_path, {"a": 4})
    unit = Unit(run.tasks[0], Stage.WHOLE, 4)
    with run.state() as state:
        known = state.known("a")
    [[message]] = run.crew.worker.work(Assignment(unit, known, "another fingerprint"))
    assert "found another one" in str(message)
    for path in run.videos[0].files:
        path.unlink()
    [[message]] = run.crew.worker.work(Assignment(unit, known, "any"))
    assert "found nothing" in str(message)
    assert run.bench.made == []


def test_what_is_known_holds_what_this_run_has_heard(tmp_path: Path) -> None:
    run = Run(tmp_path, {"a": 4, "b": 1})
    with run.state() as state:
        state.add([record("a", "2")], {})
        state.settle_cuts("a", [1])
        known = state.known("a")
        assert state.known("b").finished == {}
    assert list(known.finished) == ["2"]
    assert known.cuts == [1]
    assert known.choice is None


def test_a_video_that_has_gone_since_the_run_began_is_named_and_the_others_are_made(tmp_path: Path) -> None:
    run = Run(tmp_path, {"a": 2, "b": 4})
    with run.state() as state:
        for path in run.videos[0].files:
            path.unlink()
        result = run.dispatch(state).run()
    assert list(result.outcomes) == ["b"]
    assert "a: cannot read" in result.failed["a"]


def test_parts_that_are_left_of_a_refused_video_are_let_go(tmp_path: Path) -> None:
    class Picky(Bench):
        def fill(self, task: Task, frames: Sequence[str], state: VideoState, on_event: OnEvent) -> None:
            raise DataError("bad frames", "replace them")

    run = Run(tmp_path, {"a": 40, "b": 1}, Picky(), divisible=True)
    run.crew.size = 1
    with run.state() as state:
        result = run.dispatch(state).run()
    assert (list(result.outcomes), result.failed) == (["b"], {"a": "a: bad frames"})
