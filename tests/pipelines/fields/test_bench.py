"""Videos that are open already are not opened again; others are, wherever the work is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vsodtool.config import FlowConfig
from vsodtool.media.video.inputs import VideoInput
from vsodtool.pipelines.fields import bench
from vsodtool.pipelines.fields.bench import FieldBench, FieldTask
from vsodtool.types import ignore_event


@pytest.mark.parametrize("is_open", [True, False])
def test_where_frames_come_from(is_open: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    video = VideoInput("clip", Path("clip"), "folder", ())
    flows: Any = ["a flow"]
    task, config = FieldTask(video, 3, flows=flows), FlowConfig(inputs=("clip",), output=Path("out"))
    opened, engine, state = object(), object(), object()
    seen: list[tuple[Any, ...]] = []
    monkeypatch.setattr(bench, "open_frames", lambda given: ("opened", given))
    monkeypatch.setattr(bench, "run_video", lambda *given, **named: seen.append((*given, named)))
    sources: Any = {"clip": opened} if is_open else {"another": opened}
    made: Any = FieldBench(config, engine, sources)  # type: ignore[arg-type]
    made.make(task, state, ignore_event)
    source = opened if is_open else ("opened", video)
    assert seen == [(config, source, flows, engine, {"state": state, "on_event": ignore_event})]
