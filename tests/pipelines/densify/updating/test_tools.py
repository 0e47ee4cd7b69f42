"""What makes labels is made when it is first needed, once; kept tools keep what they have read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vsodtool.config import PseudoLabelConfig
from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.pipelines.densify.method import WarpMethod
from vsodtool.pipelines.densify.setup import Setup
from vsodtool.pipelines.densify.updating.tools import Tools
from vsodtool.types import ignore_event

CONFIG = PseudoLabelConfig(
    inputs=("clip",), masks=("masks",), output=Path("out"), method="warp", device="cpu", workers=2
)


def test_each_is_made_once(exact: Any) -> None:
    asked: list[Setup] = []

    def nothing(setup: Setup) -> None:
        asked.append(setup)

    with Tools(CONFIG, nothing, nothing, estimator=exact, methods=[WarpMethod()]) as tools:
        assert asked == []
        candidates = tools.candidates(ignore_event)
        assert tools.candidates(ignore_event) is candidates
        assert tools.setup(ignore_event) is tools.setup(ignore_event)
        assert asked == [tools.setup(ignore_event)] * 2
        assert (candidates.names, candidates.tracker, tools.adapt) == (["warp"], None, None)
        assert tools.workers is tools.workers


def test_torch_has_one_thread_while_the_workers_live(exact: Any) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with Tools(CONFIG, estimator=exact, methods=[WarpMethod()]) as tools:
            assert torch.get_num_threads() == 2
            assert tools.workers.map(lambda number: number**2, [1, 2, 3]) == [1, 4, 9]
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("keep", [False, True])
def test_frames_of_a_file_are_kept_where_the_tools_are(
    keep: bool, tmp_path: Path, film: Callable[..., Any]
) -> None:
    clip = film([(1, 0)] * 3)
    (video,) = discover_videos([str(clip.write_video(tmp_path / "clip.mp4"))])
    (folder,) = discover_videos([str(clip.write_folder(tmp_path / "clip"))])
    with Tools(CONFIG, keep=keep) as tools:
        first, second = (tools.source(open_frames(video)) for _ in range(2))
        assert (first is second) == keep
        np.testing.assert_array_equal(
            [frame.rgb for frame in first], [frame.rgb for frame in open_frames(video)]
        )
        frames = open_frames(folder)
        assert tools.source(frames) is frames  # is read as fast again
        assert (tools.inspected is None) != keep
