"""One interval: bounded pieces of work, and an end when nobody wants the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vsodtool.media.frame_store import FrameStore
from vsodtool.media.frames import FolderFrames
from vsodtool.media.inputs import discover_videos
from vsodtool.pipelines.densify import DenseFrame, densify_interval
from vsodtool.pipelines.generator import WarpGenerator
from vsodtool.pipelines.interval import IntervalJob, LabelledFrame, Workers, to_channels
from vsodtool.pipelines.motion import CHUNK, MotionPlan


class Watched(Workers):
    """Remembers how many pieces were handed out at once."""

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        super().__init__(executor)
        self.sizes: list[int] = []

    def map(self, work: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        todo = list(items)
        self.sizes.append(len(todo))
        return super().map(work, todo)


@pytest.fixture
def workers() -> Iterator[Watched]:
    with ThreadPoolExecutor(2) as pool:
        yield Watched(pool)


def make_job(clip: Any, folder: Path) -> IntervalJob:
    """An interval over a whole clip, labelled at both ends."""
    source = FolderFrames(discover_videos([str(clip.write_folder(folder))])[0])
    store = FrameStore(source, folder.parent)
    last = len(clip.frames) - 1
    for frame in source:
        if 0 < frame.index < last:
            store.put(frame)
    left, right = (
        LabelledFrame(
            index, f"{index:05d}", clip.frames[index], to_channels(clip.truth[index].astype(np.uint16), [1])
        )
        for index in (0, last)
    )
    return IntervalJob(left, right, list(range(1, last)), store)


@pytest.mark.parametrize("empty", [[], [0], [-1], [0, -1]])
def test_no_piece_of_work_grows_with_the_interval(
    film: Callable[..., Any], exact: Any, workers: Watched, tmp_path: Path, empty: list[int]
) -> None:
    clip = film([(1, 0), (-1, 0)] * 15)
    for index in empty:
        clip.truth[index][:] = 0
    found: list[DenseFrame] = []
    job = make_job(clip, tmp_path / "clip")
    plan = MotionPlan(exact, exact, exact)
    densify_interval(job, plan, WarpGenerator(), workers=workers, on_frame=found.append)
    assert sorted(frame.index for frame in found) == job.targets
    assert max(workers.sizes) <= CHUNK
    if len(empty) == 2:
        assert all(float(frame.labels.max()) == 0 for frame in found)
        assert all(float(frame.confidence.min()) == 1 for frame in found)


def test_nothing_is_begun_once_cancelled(
    film: Callable[..., Any], exact: Any, workers: Watched, tmp_path: Path
) -> None:
    found: list[DenseFrame] = []
    densify_interval(
        make_job(film([(1, 0)] * 30), tmp_path / "clip"),
        MotionPlan(exact, exact, exact),
        WarpGenerator(),
        workers=workers,
        on_frame=found.append,
        cancelled=lambda: True,
    )
    assert not found
    assert sum(workers.sizes) <= CHUNK  # of 30 pairs
    assert torch.is_grad_enabled()
