"""Who works: in this process videos come one after the other, and a refused one does not end the run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vsodtool.config import FlowConfig, options_of
from vsodtool.errors import DataError, DeviceError, UsageError
from vsodtool.pipelines.running.engines import ENGINES, Job
from vsodtool.pipelines.running.reports import Outcome, VideoReport
from vsodtool.types import Event, OnEvent


def test_the_table_is_that_of_the_option() -> None:
    assert set(ENGINES) == set(options_of(FlowConfig)["engine"].choices)


class Bench:
    """Makes videos, but for those whose error is known."""

    def __init__(self, **errors: Exception) -> None:
        self.errors, self.asked = errors, list[str]()

    def make(self, task: Any, state: Any, on_event: OnEvent) -> Outcome[Any]:
        self.asked.append(task.name)
        if task.name in self.errors:
            raise self.errors[task.name]
        return Outcome(VideoReport(task.name, 1), [])


def work(bench: Bench, on_event: Callable[[Event], None]) -> Any:
    tasks: Any = [SimpleNamespace(name=name) for name in ("a", "b", "c")]
    job: Job[Any] = Job(tasks, bench, lambda _: None, "cpu")  # type: ignore[arg-type, return-value]
    state: Any = None
    return ENGINES["process"].work(FlowConfig(inputs=("x",), output=Path("out")), job, state, on_event)


def test_a_refused_video_is_told_and_the_others_are_made() -> None:
    events: list[Event] = []
    bench = Bench(b=DataError("b is damaged", "mend it"))
    result = work(bench, events.append)
    assert bench.asked == ["a", "b", "c"]
    assert list(result.outcomes) == ["a", "c"]
    assert result.failed == {"b": "b: b is damaged"}
    assert result.refused["b"].hint == "mend it"
    assert [(event.kind, event.video) for event in events] == [("warning", "b"), ("done", "b")]


def test_what_concerns_all_videos_ends_the_run() -> None:
    bench = Bench(b=DeviceError("the disk is full"))
    with pytest.raises(DeviceError, match="the disk is full"):
        work(bench, lambda _: None)
    assert bench.asked == ["a", "b"]


def test_an_engine_refuses_what_it_lacks_before_anything_is_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    config = FlowConfig(inputs=("x",), output=Path("out"))
    ENGINES["process"].check(config)
    with pytest.raises(UsageError, match="--engine ray needs Ray, which is not installed"):
        ENGINES["ray"].check(config)
