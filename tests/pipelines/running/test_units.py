"""A unit of work, done in a thread: what is told of it, in which order, and what is refused before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from vsodtool.errors import DataError
from vsodtool.media.fingerprint import input_fingerprint
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.run_state import Known
from vsodtool.media.video.inputs import VideoInput, discover_videos
from vsodtool.pipelines.running.units import Assignment, Division, Stage, Task, Unit, Worker, begin_in
from vsodtool.pipelines.running.video_state import Ended, Listed, Message, Refused, Told, VideoState
from vsodtool.types import Event, FrameRecord, FrameStatus, OnEvent


@pytest.fixture
def video(tmp_path: Path) -> VideoInput:
    (tmp_path / "clip").mkdir()
    for index in range(3):
        (tmp_path / f"clip/{index}.png").write_bytes(b"picture")
    return discover_videos([str(tmp_path / "clip")])[0]


@dataclass
class Bench:
    """Says what it was asked."""

    error: BaseException | None = None
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def make(self, task: Task, state: VideoState, on_event: OnEvent) -> Any:
        self.asked.append(("make", task.name))
        for done in range(3):
            on_event(Event("frame", task.name, done=done, total=3))
        if self.error is not None:
            raise self.error
        state.commit([FrameRecord(task.name, "0", FrameStatus.GENERATED, "", "", 0.5)])
        on_event(Event("frame", task.name, done=3, total=3))
        return "made"

    def begin(
        self, task: Task, state: VideoState, on_event: OnEvent, most: int, answers: Sequence[Any]
    ) -> Division:
        self.asked.append(("begin", most, answers))
        return Division([["0"], ["1", "2"]])

    def answer(self, task: Task, question: Any, state: VideoState, on_event: OnEvent) -> Any:
        self.asked.append(("answer", question))
        return 2 * question

    def fill(self, task: Task, frames: Sequence[str], state: VideoState, on_event: OnEvent) -> None:
        self.asked.append(("fill", frames))


def work(
    bench: Bench, video: VideoInput, unit: Unit[Task] | None = None, fingerprint: str = ""
) -> list[Message]:
    worker = Worker(bench, OutputLayout(video.path.parent / "out"), None)
    given = Assignment(
        unit or Unit(Task(video, 3), Stage.WHOLE, 3), Known(), fingerprint or input_fingerprint(video)
    )
    return [message for batch in worker.work(given) for message in batch]


def test_the_end_comes_last_and_old_progress_is_left_out(video: VideoInput) -> None:
    told = work(Bench(), video)
    assert told[-1] == Ended("made")
    assert sum(isinstance(each, Listed) for each in told) == 1
    progress = [each.event.done for each in told if isinstance(each, Told)]
    assert progress == sorted(progress)
    assert progress[-1] == 3


def test_each_stage_asks_the_bench_for_its_part(video: VideoInput) -> None:
    task, bench = Task(video, 3, divisible=True), Bench()
    units = {
        ("begin", 7, (1, 2)): Unit(task, Stage.BEGIN, 1, most=7, answers=(1, 2)),
        ("answer", 21): Unit(task, Stage.ANSWER, 1, question=21),
        ("fill", ("1", "2")): Unit(task, Stage.PART, 2, frames=("1", "2")),
        ("make", "clip"): Unit(task, Stage.WHOLE, 3),
    }
    ends = [work(bench, video, unit)[-1] for unit in units.values()]
    assert bench.asked == list(units)
    assert ends == [Ended(Division([["0"], ["1", "2"]])), Ended(42), Ended(None), Ended("made")]


def test_an_expected_error_is_told_and_a_bug_is_raised(video: VideoInput) -> None:
    error = DataError("no", "never")
    told = work(Bench(error), video)
    assert told[-1] == Refused(error)
    with pytest.raises(ZeroDivisionError):
        work(Bench(ZeroDivisionError()), video)


def test_another_video_under_the_same_path_is_refused(video: VideoInput) -> None:
    bench = Bench()
    (refused,) = work(bench, video, fingerprint="of another machine")
    assert isinstance(refused, Refused)
    assert "found another one" in refused.error.message
    (video.path / "1.png").unlink()
    (refused,) = work(bench, video, fingerprint="of another machine")
    assert isinstance(refused, Refused)
    assert "found nothing" in refused.error.message
    assert bench.asked == []


def test_paths_count_from_where_the_run_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")  # and back afterwards
    begin_in(str(tmp_path))
    assert Path.cwd() == tmp_path
    with pytest.raises(DataError, match=r"expected on .*, as the run was started there, found nothing"):
        begin_in(str(tmp_path / "elsewhere"))
    assert Path.cwd() == tmp_path
