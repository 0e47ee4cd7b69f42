"""Units handed to workers as they are free, the longest first; what they tell goes into the only journal."""

from __future__ import annotations

import heapq
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Generic, Protocol

from vsodtool.errors import DataError
from vsodtool.media.fingerprint import input_fingerprint
from vsodtool.media.output.run_state import ResumeState
from vsodtool.pipelines.running.reports import Result
from vsodtool.pipelines.running.units import Assignment, Stage, T, Unit
from vsodtool.pipelines.running.video_state import (
    Chosen,
    CutsFound,
    Ended,
    Listed,
    Message,
    Refused,
    Told,
)
from vsodtool.types import Event, OnEvent

TRIES_AGAIN = 3  # for a unit whose worker was lost, since it last finished a frame
_PARTS = 4  # per worker: a video that takes longer than such a part of all work is divided


@dataclass(frozen=True)
class News(Generic[T]):
    """What was heard of a unit.

    Attributes:
        unit: that was handed out.
        messages: in order; None: its worker is lost, and nothing more will be heard.
    """

    unit: Unit[T]
    messages: list[Message] | None


class Crew(Protocol[T]):
    """Workers, wherever they are. One that is lost is replaced."""

    @property
    def size(self) -> int:
        """How many workers there are, or will be."""
        ...

    @property
    def free(self) -> int:
        """How many units can be handed out now."""
        ...

    def hand_out(self, given: Assignment[T]) -> None:
        """Give a unit to a worker that is free."""
        ...

    def news(self) -> list[News[T]]:
        """Wait, for a short time, until something is heard."""
        ...


@dataclass(frozen=True)
class _Asked(Generic[T]):
    """What the beginning of a video wants to know before it goes on."""

    beginning: Unit[T]
    units: list[Unit[T]]
    answers: dict[int, Any] = field(default_factory=dict)  # by id of the unit


class Dispatch(Generic[T]):
    """One run."""

    def __init__(
        self,
        tasks: Sequence[T],
        crew: Crew[T],
        state: ResumeState,
        on_event: OnEvent,
    ) -> None:
        """Begin.

        Args:
            tasks: the videos.
            crew: who works.
            state: the output folder.
            on_event: hears of the progress of all together, and of what workers tell.
        """
        self._tasks, self._crew, self._state, self._on_event = tasks, crew, state, on_event
        self._queue: list[tuple[int, int, Unit[T]]] = []
        self._order = count()
        self._at_work: dict[int, Unit[T]] = {}  # by id
        self._lost: dict[int, int] = {}  # by id of the unit
        self._parts: dict[str, int] = {}  # that are not yet done, by video
        self._asked: dict[str, _Asked[T]] = {}  # by video
        self._said: set[tuple[str, str]] = set()  # video and text of notices and warnings
        self._handed_out: dict[int, float] = {}  # when, by id of the unit
        self._spent: dict[str, float] = {}  # seconds, by video
        self._result = Result()
        self._total = sum(task.frames for task in tasks)
        self._finished = {task.name: set(state.finished(task.name)) for task in tasks}
        self._done = sum(map(len, self._finished.values()))

    def run(self) -> Result:
        """Have everything made.

        Raises:
            VsodtoolError: what concerns the whole run, as a full disk.
        """
        self.plan()
        self._tell()
        while self._queue or self._at_work:
            while self._queue and self._crew.free:
                self._hand_out(heapq.heappop(self._queue)[-1])
            if not self._queue and not self._at_work:  # what was left is of videos that failed
                break
            for news in self._crew.news():
                self._hear(news)
        return self._result

    def plan(self) -> None:
        """Queue the videos that must be looked at; long ones are to be divided."""
        missing = {task.name: task.frames - len(self._finished[task.name]) for task in self._tasks}
        share = max(1, sum(missing.values()) // (self._crew.size * _PARTS))
        for task in self._tasks:
            divided = task.divisible and missing[task.name] > share
            stage = Stage.BEGIN if divided else Stage.WHOLE
            self._add(Unit(task, stage, missing[task.name], most=share))

    def _add(self, unit: Unit[T]) -> None:
        heapq.heappush(self._queue, (-unit.weight, next(self._order), unit))

    def _hand_out(self, unit: Unit[T]) -> None:
        if unit.task.name in self._result.failed:
            return
        try:
            fingerprint = input_fingerprint(unit.task.video)
        except DataError as error:  # gone since the run began: the others are still there
            self._refuse(unit, error)
            self._tell()
            return
        self._at_work[id(unit)] = unit
        self._handed_out[id(unit)] = time.monotonic()
        name = unit.task.name
        known = self._state.known(name, unit.task.asked, self._spent.get(name, 0.0))
        self._crew.hand_out(Assignment(unit, known, fingerprint))

    def _hear(self, news: News[T]) -> None:
        if news.messages is None:
            del self._at_work[id(news.unit)]
            self._try_again(news.unit)
            return
        for message in news.messages:
            self._take(news.unit, message)
        self._tell()

    def _take(self, unit: Unit[T], message: Message) -> None:
        name = unit.task.name
        match message:
            case Told(event):
                self._pass_on(unit, event)
            case Listed(records, files):
                self._state.add(records, files)
                self._count(name, {record.frame for record in records})
                if records:
                    self._lost.pop(id(unit), None)
            case Chosen(choice):
                self._state.choose(name, choice)
            case CutsFound(cuts):
                self._state.settle_cuts(name, cuts)
            case Ended(result):
                del self._at_work[id(unit)]
                self._end(unit, result)
            case Refused(error):
                del self._at_work[id(unit)]
                if not isinstance(error, DataError):
                    raise error
                self._refuse(unit, error)

    def _end(self, unit: Unit[T], result: Any) -> None:
        name = unit.task.name
        seconds = time.monotonic() - self._handed_out.pop(id(unit))
        if unit.stage is Stage.WHOLE:
            self._result.outcomes[name] = result
            self._done += unit.task.frames - len(self._finished.pop(name))
            return
        self._spent[name] = self._spent.get(name, 0.0) + seconds
        match unit.stage:
            case Stage.BEGIN if result.questions:
                self._ask(unit, result.questions)
                return
            case Stage.BEGIN:
                self._parts[name] = len(result.groups)
                for frames in result.groups:
                    self._add(Unit(unit.task, Stage.PART, len(frames), frames))
            case Stage.ANSWER:
                self._take_answer(unit, result)
                return
            case Stage.PART:
                self._parts[name] -= 1
        if self._parts[name] == 0:
            # What parts could not make is told by this one, and it does what concerns the whole video.
            self._add(Unit(unit.task, Stage.WHOLE, unit.task.frames))

    def _ask(self, beginning: Unit[T], questions: Sequence[Any]) -> None:
        units = [replace(beginning, stage=Stage.ANSWER, question=each) for each in questions]
        self._asked[beginning.task.name] = _Asked(beginning, units)
        for unit in units:
            self._add(unit)

    def _take_answer(self, unit: Unit[T], answer: Any) -> None:
        asked = self._asked[unit.task.name]
        asked.answers[id(unit)] = answer
        if len(asked.answers) == len(asked.units):
            answers = [asked.answers[id(each)] for each in asked.units]
            self._add(replace(asked.beginning, answers=[*asked.beginning.answers, *answers]))

    def _count(self, name: str, frames: set[str]) -> None:
        finished = self._finished[name]
        self._done += len(frames - finished)
        finished |= frames

    def _try_again(self, unit: Unit[T]) -> None:
        times = self._lost[id(unit)] = self._lost.get(id(unit), 0) + 1
        if times > TRIES_AGAIN:
            self._fail(unit, f"its worker was lost {times} times, perhaps because memory ran out")
            return
        text = f"{unit.task.name}: its worker was lost; it is tried again"
        self._on_event(Event("warning", unit.task.name, text))
        self._add(unit)

    def _refuse(self, unit: Unit[T], error: DataError) -> None:
        self._result.refuse(unit.task.name, error, self._on_event)

    def _fail(self, unit: Unit[T], reason: str) -> None:
        self._result.fail(unit.task.name, reason, self._on_event)

    def _pass_on(self, unit: Unit[T], event: Event) -> None:
        """Warnings and notices, each once: the parts of a video find out what its beginning has told."""
        first = unit.stage is Stage.BEGIN or (unit.stage is Stage.WHOLE and unit.task.name not in self._parts)
        said = (event.video, event.message)
        if event.kind == "warning" or (event.kind == "notice" and first):
            if said not in self._said:
                self._on_event(event)
            self._said.add(said)
        elif event.kind == "done" and event.message:
            self._on_event(Event("notice", event.video, event.message))

    def _tell(self) -> None:
        """The progress of all videos, as that of one."""
        made, count_ = len(self._result.outcomes), len(self._tasks)
        name = "1 video" if count_ == 1 else f"{count_} videos"
        stage = f"{made} done, {len(self._at_work)} workers busy"
        ended = made + len(self._result.failed) == count_
        self._on_event(
            Event("done" if ended else "frame", name, "" if ended else stage, self._done, self._total)
        )
