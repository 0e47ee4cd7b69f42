"""What a dry run foresees: counts, the methods that would compete, and seconds in proportion to the work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.pipelines.densify.one_video import Other
from vsodtool.config import PseudoLabelConfig
from vsodtool.media.output.layout import OutputLayout
from vsodtool.pipelines.densify import dry_run
from vsodtool.pipelines.densify.dry_run import foresee, reckon
from vsodtool.pipelines.densify.estimate import Pace
from vsodtool.pipelines.densify.interval import SparseVideo
from vsodtool.pipelines.densify.method import WarpMethod
from vsodtool.pipelines.densify.updating.tools import Tools
from vsodtool.pipelines.running.shots import NO_CUTS, Cuts
from vsodtool.types import Event, ignore_event

NOT_SEARCHED = "videos are not searched for cuts now: where there are some, other labels may be hidden"


@pytest.fixture
def told() -> list[Event]:
    return []


@pytest.fixture
def run(video: SparseVideo, tmp_path: Path, told: list[Event]) -> Any:
    layout = OutputLayout(tmp_path / "out")
    return SimpleNamespace(sources=[video.source], layout=layout, on_event=told.append)


def tools(exact: Any, *methods: Any, **options: Any) -> Tools:
    config = PseudoLabelConfig(
        inputs=("clip",), masks=("masks",), output=Path("out"), device="cpu", workers=1, **options
    )
    return Tools(config, estimator=exact, methods=methods)


def test_one_method_needs_no_trial(video: SparseVideo, run: Any, told: list[Event], exact: Any) -> None:
    with tools(exact, WarpMethod()) as made:
        setup = made.setup(ignore_event)
        (found,) = foresee(run, {"clip": video.masks}, setup, {"clip": ["a doubt"]}, NO_CUTS)
    assert (found.frames, found.given, found.generated, found.skipped) == (13, 4, 9, 0)
    assert (found.method, found.hidden, found.doubts, found.seconds) == ("warp", [], ["a doubt"], 0.0)
    assert told == []


def test_several_methods_are_tried_on_hidden_labels(
    video: SparseVideo, run: Any, told: list[Event], exact: Any
) -> None:
    with tools(exact, WarpMethod(), Other()) as made:
        setup = made.setup(ignore_event)
        (found,) = foresee(run, {"clip": video.masks}, setup, {}, Cuts())
    assert found.method == ""  # nobody knows it yet
    assert found.hidden == ["00004", "00008"]
    assert told[0].message.startswith("warp or other, tried on the hidden labels 00004, 00008")
    assert told[-1].message == NOT_SEARCHED


def test_seconds_are_those_of_the_pace(
    video: SparseVideo, run: Any, told: list[Event], exact: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    masks = {"clip": video.masks}
    seconds = []
    for per_cost in (1e-6, 2e-6):
        pace = Pace(3.0, 3, per_cost)
        monkeypatch.setattr(dry_run, "measure_pace", lambda *_, pace=pace: pace)
        with tools(exact, WarpMethod()) as made:
            videos = foresee(run, masks, made.setup(ignore_event), {}, NO_CUTS)
            (found,) = reckon(run, masks, videos, made, NO_CUTS)
        assert replace(found, seconds=0.0) == videos[0]
        seconds.append(found.seconds)
    assert seconds[0] > 0
    assert seconds[1] == pytest.approx(2 * seconds[0], abs=0.15)  # both are rounded to .1
    assert told[-1].message.endswith("3 frames of clip took 3.0 s")


def test_where_nothing_is_to_be_made_nothing_is_measured(
    video: SparseVideo, run: Any, exact: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(dry_run, "measure_pace", measure)
    masks = {"clip": replace(video.masks, files=dict.fromkeys(video.source.names, Path("mask.png")))}
    with tools(exact, WarpMethod()) as made:
        videos = foresee(run, masks, made.setup(ignore_event), {}, NO_CUTS)
        assert videos[0].generated == 0
        assert reckon(run, masks, videos, made, NO_CUTS) is videos
