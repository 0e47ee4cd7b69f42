"""Units of work that any worker can take: a video, or frames of one that is divided."""

from __future__ import annotations

import os
import queue
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from vsodtool.errors import DataError, VsodtoolError
from vsodtool.media.fingerprint import input_fingerprint
from vsodtool.media.output.earlier_run import OutputsOf
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.run_state import Known
from vsodtool.media.video.inputs import VideoInput
from vsodtool.pipelines.running.reports import Outcome
from vsodtool.pipelines.running.video_state import (
    Ended,
    Message,
    Refused,
    RemoteState,
    Told,
    VideoState,
)
from vsodtool.types import OnEvent

T = TypeVar("T", bound="Task")

_PAUSE = 1.0  # seconds for which messages are gathered before they are sent: each costs both sides some ms


@dataclass(frozen=True)
class Task:
    """A video with what a worker must know of it; verbs add to it. Can be pickled.

    Attributes:
        video: where it lies.
        frames: that it announces.
        divisible: its frames may be made by several workers; the bench is a `Divider` then.
        asked: files besides those of its frames whose state the work asks about.
    """

    video: VideoInput
    frames: int
    divisible: bool = False
    asked: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """Of the video."""
        return self.video.name


T_contra = TypeVar("T_contra", bound=Task, contravariant=True)


class Bench(Protocol[T_contra]):
    """What works on videos, with networks and threads that are made once."""

    def make(self, task: T_contra, state: VideoState, on_event: OnEvent) -> Outcome[Any]:
        """Make what is missing of a video."""
        ...


@dataclass(frozen=True)
class Division:
    """What a video is divided into: questions, as long as some are open, else groups of frames.

    Attributes:
        groups: names of frames that can be made by themselves.
        questions: what its beginning has to know, to be found out side by side. Can be pickled.
    """

    groups: Sequence[Sequence[str]] = ()
    questions: Sequence[Any] = ()


@runtime_checkable
class Divider(Protocol[T_contra]):
    """A bench that can divide a video."""

    def begin(
        self, task: T_contra, state: VideoState, on_event: OnEvent, most: int, answers: Sequence[Any]
    ) -> Division:
        """Make what all frames of a video need, and divide those that are missing.

        Args:
            task: the video.
            state: its part of the output folder.
            on_event: hears of it.
            most: frames of a group, about.
            answers: to all questions that it asked when it was begun before, in order; it may ask more.
        """
        ...

    def fill(self, task: T_contra, frames: Sequence[str], state: VideoState, on_event: OnEvent) -> None:
        """Make the frames of one part, after `begin`."""
        ...


@runtime_checkable
class Asker(Protocol[T_contra]):
    """A divider whose beginning may ask questions."""

    def answer(self, task: T_contra, question: Any, state: VideoState, on_event: OnEvent) -> Any:
        """Find out what `begin` wants to know. What is returned can be pickled."""
        ...


Opener = Callable[[int], AbstractContextManager[Bench[Any]]]  # of the number of threads; can be pickled


class Stage(Enum):
    """What is to be done of a video."""

    BEGIN = "what its parts have in common"
    ANSWER = "a question that its beginning asks"
    PART = "some of its frames"
    WHOLE = "all that is missing"


@dataclass(frozen=True)
class Unit(Generic[T]):
    """What one worker does without asking the others.

    Attributes:
        task: the video.
        stage: what of it.
        weight: frames to make.
        frames: their names, of a part.
        most: frames of a part, for the stage that divides.
        question: to answer.
        answers: to what the stage that divides has asked before.
    """

    task: T
    stage: Stage
    weight: int
    frames: Sequence[str] = field(default=(), repr=False)
    most: int = 0
    question: Any = None
    answers: Sequence[Any] = field(default=(), repr=False)


@dataclass(frozen=True)
class Assignment(Generic[T]):
    """A unit as a worker gets it.

    Attributes:
        unit: the work.
        known: what is known of the video.
        fingerprint: of the video, where the run was started.
    """

    unit: Unit[T]
    known: Known
    fingerprint: str


class Worker:
    """Does units, wherever it runs; what it would write into the journal is told instead."""

    def __init__(self, bench: Bench[Any], layout: OutputLayout, outputs_of: OutputsOf | None) -> None:
        """Begin.

        Args:
            bench: what works.
            layout: where files go.
            outputs_of: the files that a finished frame has.
        """
        self._bench, self._layout, self._outputs_of = bench, layout, outputs_of

    def work(self, given: Assignment[Any]) -> Iterator[list[Message]]:
        """Do a unit in a thread of its own; what happens is told about once a second, the end last.

        Raises:
            Exception: whatever is no expected error, which is a bug.
        """
        told: queue.Queue[Message | BaseException] = queue.Queue()
        state = RemoteState(self._layout, given.known, self._outputs_of, told.put)

        def work() -> None:
            try:
                told.put(Ended(self._do(given, state, lambda event: told.put(Told(event)))))
            except VsodtoolError as error:
                told.put(Refused(error))
            except BaseException as error:  # noqa: BLE001  raised again where the messages are read
                told.put(error)

        thread = threading.Thread(target=work, name="unit", daemon=True)
        thread.start()
        ended = False
        while not ended:
            batch = [told.get()]
            if not isinstance(batch[0], Ended | Refused):
                thread.join(_PAUSE)
            while not told.empty():
                batch.append(told.get())
            failure = next((each for each in batch if isinstance(each, BaseException)), None)
            if failure is not None:
                raise failure
            messages = [each for each in batch if not isinstance(each, BaseException)]
            ended = isinstance(messages[-1], Ended | Refused)
            yield _latest_progress(messages)
        thread.join()

    def _do(self, given: Assignment[Any], state: RemoteState, on_event: OnEvent) -> Any:
        unit = given.unit
        _check_seen(unit.task.video, given.fingerprint)
        if unit.stage is Stage.WHOLE:
            return self._bench.make(unit.task, state, on_event)
        if unit.stage is Stage.ANSWER:
            assert isinstance(self._bench, Asker)  # it has asked
            return self._bench.answer(unit.task, unit.question, state, on_event)
        assert isinstance(self._bench, Divider)  # its tasks say so
        if unit.stage is Stage.BEGIN:
            return self._bench.begin(unit.task, state, on_event, unit.most, unit.answers)
        return self._bench.fill(unit.task, unit.frames, state, on_event)


def _latest_progress(messages: Sequence[Message]) -> list[Message]:
    """Without the progress that later messages make old."""
    last = max((place for place, each in enumerate(messages) if _is_progress(each)), default=-1)
    return [each for place, each in enumerate(messages) if place == last or not _is_progress(each)]


def _is_progress(message: Message) -> bool:
    return isinstance(message, Told) and message.event.kind == "frame"


def _check_seen(video: VideoInput, fingerprint: str) -> None:
    """Require that the video is here what it is where the run was started.

    Raises:
        DataError: it is not.
    """
    try:
        found = "another one" if input_fingerprint(video) != fingerprint else ""
    except DataError:
        found = "nothing"
    if found:
        raise DataError(
            f"{video.path}: expected on {socket.gethostname()} what the machine sees that started the run, "
            f"found {found}",
            "put inputs and output on a disk that all machines of the cluster see, under the same path",
        )


def begin_in(folder: str) -> None:
    """Make the folder in which the run was started that of this process, as paths count from there.

    Raises:
        DataError: it does not exist here.
    """
    try:
        os.chdir(folder)
    except OSError as error:
        raise DataError(
            f"{folder}: expected on {socket.gethostname()}, as the run was started there, found nothing",
            "start it in a folder that all machines of the cluster see",
        ) from error
