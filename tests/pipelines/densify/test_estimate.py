from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vsodtool.media.masks.sparse import match_masks
from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.pipelines.densify.choosing.hidden_labels import schedule_trial
from vsodtool.pipelines.densify.estimate import estimate_seconds, measure_pace
from vsodtool.pipelines.densify.interval import SparseVideo
from vsodtool.pipelines.densify.method import WarpMethod
from vsodtool.pipelines.densify.motion import MotionEstimators
from vsodtool.pipelines.densify.setup import Candidates
from vsodtool.pipelines.densify.side_by_side import Workers

Sparse = Callable[..., SparseVideo]


@pytest.fixture
def sparse(tmp_path: Path, film: Callable[..., Any]) -> Sparse:
    clip = film([(1, 0)] * 12)
    source = open_frames(discover_videos([str(clip.write_folder(tmp_path / "clip"))])[0])

    def make(*labelled: int) -> SparseVideo:
        folder = clip.write_masks(tmp_path / f"masks{len(labelled)}", labelled)
        return SparseVideo(source, match_masks(folder, [source])["clip"], tmp_path / "out")

    return make


@pytest.fixture
def candidates(exact: Any) -> Candidates:
    return Candidates({"warp": WarpMethod()}, MotionEstimators(exact, exact), "fast", "exact")


def pace_of(video: SparseVideo, candidates: Candidates) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return measure_pace(video, candidates, Workers(pool))


def test_one_interval_between_labels_is_made_and_nothing_written(
    sparse: Sparse, candidates: Candidates
) -> None:
    video = sparse(3, 7, 12)
    pace = pace_of(video, candidates)
    assert pace.frames == 3  # not the three before the first label
    assert pace.seconds > 0
    assert not video.spill_folder.exists()


def test_a_single_label_has_one_side_only(sparse: Sparse, candidates: Candidates) -> None:
    assert pace_of(sparse(4), candidates).frames == 4


def test_nothing_to_make(sparse: Sparse, candidates: Candidates) -> None:
    assert pace_of(sparse(*range(13)), candidates) is None


def test_the_rest_is_reckoned_from_it(sparse: Sparse, candidates: Candidates) -> None:
    video = sparse(0, 4, 8, 12)
    pace = pace_of(video, candidates)

    def seconds(trial: Any = (), *, overlay: bool = False, of: Any = pace) -> float:
        return estimate_seconds(of, video.source, video.masks, trial, candidates, overlay=overlay)

    assert seconds() == pytest.approx(3 * pace.seconds)  # three intervals like that one
    assert seconds(of=replace(pace, per_cost=2 * pace.per_cost)) == pytest.approx(6 * pace.seconds)
    assert seconds(schedule_trial(video.source, video.masks).tests) > seconds()
    assert seconds(overlay=True) > seconds()
