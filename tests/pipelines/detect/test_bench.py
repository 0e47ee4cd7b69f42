"""Each piece of work on a video begins with what is on the disk: workers may share a video."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from vsodtool.config import PredictConfig
from vsodtool.media.video.inputs import VideoInput
from vsodtool.pipelines.detect import bench
from vsodtool.pipelines.detect.bench import DetectBench, DetectTask
from vsodtool.pipelines.running.shots import NO_CUTS
from vsodtool.types import ignore_event


class Prediction:
    """Stands for the work on a video; remembers what it was asked."""

    asked: list[tuple[Any, ...]]

    def __init__(self, source: object, state: object, on_event: object, **more: object) -> None:
        self.asked.append(("new", source, more["cuts"]))

    def run(self) -> str:
        self.asked.append(("run",))
        return "outcome"

    def begin(self, most: int) -> list[list[str]]:
        self.asked.append(("begin", most))
        return [["0"], ["1"]]

    def fill(self, frames: Sequence[str]) -> None:
        self.asked.append(("fill", frames))


@pytest.mark.parametrize("is_open", [True, False])
def test_every_stage_asks_the_video_anew(is_open: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(Prediction, "asked", asked, raising=False)
    monkeypatch.setattr(bench, "VideoPrediction", Prediction)
    monkeypatch.setattr(bench, "open_frames", lambda video: "opened")
    nothing: Any = None
    sources: Any = {"clip": "open already"} if is_open else None
    made: Any = DetectBench(
        PredictConfig(inputs=("clip",), output=Path("out")), nothing, nothing, nothing, sources
    )
    task = DetectTask(VideoInput("clip", Path("clip"), "folder", ()), 2, divisible=True, cuts=NO_CUTS)
    new = ("new", "open already" if is_open else "opened", NO_CUTS)
    assert made.make(task, nothing, ignore_event) == "outcome"
    assert made.begin(task, nothing, ignore_event, 7, []).groups == [["0"], ["1"]]
    made.fill(task, ["1"], nothing, ignore_event)
    assert asked == [new, ("run",), new, ("begin", 7), new, ("fill", ["1"])]
