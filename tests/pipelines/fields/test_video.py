"""Which flows a video has, which pairs of its frames they need, and how an estimator is kept busy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.config import FlowConfig
from vsodtool.errors import VsodtoolError
from vsodtool.media.output.layout import OutputLayout
from vsodtool.pipelines.fields import video as video_module
from vsodtool.pipelines.fields.video import Engine, plan_video, stream_pairs
from vsodtool.pipelines.flow import run_flow
from vsodtool.types import Frame

NAMES = ["a", "b", "c", "d"]


class Still:
    """Nothing moves."""

    name = "still"

    def estimate(
        self, image_a: torch.Tensor, image_b: torch.Tensor, *, initial: torch.Tensor | None = None
    ) -> torch.Tensor:
        return torch.zeros_like(image_a[:, :2])


def test_an_engine_for_each_kind_of_backend() -> None:
    estimator = Still()
    assert Engine.for_backend(estimator, "dis", 8) == Engine(estimator, 8)
    assert Engine.for_backend(estimator, "raft-small", 8) == Engine(estimator, 2, batched=True)
    assert Engine.for_backend(estimator, "raft-small", 1).threads == 1
    assert Engine.for_backend(estimator, estimator.name, 8) == Engine(estimator, 8)


@pytest.mark.parametrize(
    ("direction", "step", "stems"),
    [
        ("forward", 1, ["forward/a", "forward/b", "forward/c"]),
        ("backward", 1, ["backward/b", "backward/c", "backward/d"]),
        ("both", 2, ["forward/a", "backward/c", "forward/b", "backward/d"]),
        ("both", 4, []),
    ],
)
def test_a_flow_is_named_after_the_frame_that_it_starts_from(
    tmp_path: Path, direction: str, step: int, stems: list[str]
) -> None:
    config = FlowConfig(inputs=("v",), output=tmp_path, direction=direction, step=step, preview=True)
    tasks = plan_video("v", NAMES, config, OutputLayout(tmp_path))
    assert [task.flow for task in tasks] == [tmp_path / "flow" / "v" / f"{stem}.flo" for stem in stems]
    previews = [tmp_path / "preview" / "v" / f"{stem}.png" for stem in stems]
    assert [task.preview for task in tasks] == previews


@pytest.mark.parametrize("preview", [False, True])
def test_a_task_knows_its_files(tmp_path: Path, preview: bool) -> None:
    config = FlowConfig(inputs=("v",), output=tmp_path, preview=preview)
    task = plan_video("v", NAMES, config, OutputLayout(tmp_path))[0]
    assert task.files == ([task.flow, task.preview] if preview else [task.flow])


@given(st.sets(st.integers(0, 30)), st.integers(1, 8))
def test_pairs_are_exactly_those_whose_two_frames_exist(present: set[int], step: int) -> None:
    pixel = np.zeros((1, 1, 3), np.uint8)
    frames = [Frame(index, str(index), pixel) for index in sorted(present)]
    pairs = [(first.index, second.index) for first, second in stream_pairs(frames, step)]
    assert pairs == [(index, index + step) for index in sorted(present) if index + step in present]


def test_a_pair_that_decodes_and_has_no_flow_is_a_fault(
    tmp_path: Path, film: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = film([(1, 0)] * 3).write_folder(tmp_path / "clip")
    config = FlowConfig(inputs=(str(folder),), output=tmp_path / "out", workers=1)
    pairs = video_module.stream_pairs
    monkeypatch.setattr(video_module, "stream_pairs", lambda *given: list(pairs(*given))[:-1])
    with pytest.raises(VsodtoolError, match="clip: frame 00002: expected a result") as caught:
        run_flow(config, estimator=Still())
    assert caught.value.exit_code == 1
    monkeypatch.undo()
    assert run_flow(config, estimator=Still()).videos[0].flows == 1
