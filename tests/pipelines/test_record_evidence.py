from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vsodtool.data.labelled import LabelledVideo
from vsodtool.data.training_data import DataSpec, load_training_data
from vsodtool.errors import DataError
from vsodtool.ops.evidence_maps import GUESS, IMAGE, LEFT, MAPS
from vsodtool.pipelines.evidence_store import store_evidence
from vsodtool.pipelines.generator import WarpGenerator
from vsodtool.pipelines.interval import Workers
from vsodtool.pipelines.motion import MotionPlan
from vsodtool.pipelines.record_evidence import record_evidence
from vsodtool.types import Event

Film = Callable[..., Any]
PAN = [(2, 1), (1, 0), (-1, 1), (2, -1), (1, 1), (-2, 0)]


@pytest.fixture
def clip(film: Film, tmp_path: Path) -> Any:
    made = film(PAN, size=(64, 64), objects={1: (72, 75, 30, 25)})
    made.write_folder(tmp_path / "data" / "JPEGImages" / "clip")
    made.write_folder(tmp_path / "data" / "JPEGImages" / "other")
    return made


def video(tmp_path: Path, clip: Any, labelled: tuple[int, ...]) -> LabelledVideo:
    for name in ("clip", "other"):
        clip.write_masks(tmp_path / "data" / "Annotations" / name, labelled, 255)
    spec = DataSpec(data=(str(tmp_path / "data"),), validation_share=0.5)
    return load_training_data(spec, cache=tmp_path / "cache").train[0]


def test_what_is_recorded_is_what_the_densifier_knows(tmp_path: Path, clip: Any, exact: Any) -> None:
    """The camera moves by whole pixels and the flow is exact: warped labels are the hidden labels."""
    plan = MotionPlan(exact, exact)
    with ThreadPoolExecutor(2) as pool:
        parts = list(
            record_evidence(video(tmp_path, clip, tuple(range(7))), 3, plan, WarpGenerator(), Workers(pool))
        )
    assert [(part.before, part.hidden, part.after) for part in parts] == [
        (0, 1, 3), (0, 2, 3), (3, 4, 6), (3, 5, 6),
    ]  # fmt: skip
    for part in parts:
        assert part.maps.shape[0] == MAPS
        height, width = part.maps.shape[1:]
        area = (slice(part.top, part.top + height), slice(part.left, part.left + width))
        frame = clip.frames[part.hidden][area].transpose(2, 0, 1)
        np.testing.assert_array_equal(part.maps[:IMAGE], frame)
        truth = clip.truth[part.hidden][area] > 0
        for channel in (LEFT.start, LEFT.start + 4, GUESS):
            assert np.mean((part.maps[channel] > 127) != truth) < 0.02


def test_frames_without_a_label_are_passed_but_not_recorded(tmp_path: Path, clip: Any, exact: Any) -> None:
    plan = MotionPlan(exact, exact)
    with ThreadPoolExecutor(2) as pool:
        parts = list(
            record_evidence(video(tmp_path, clip, (0, 2, 5, 6)), 2, plan, WarpGenerator(), Workers(pool))
        )
    assert [(part.before, part.hidden, part.after) for part in parts] == [(0, 2, 5)]


def test_what_is_there_is_not_recorded_again(tmp_path: Path, clip: Any) -> None:
    told: list[Event] = []
    source = video(tmp_path, clip, tuple(range(7)))
    first = store_evidence([source], (3,), tmp_path / "evidence", told.append)
    assert len(told) == 1
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "evidence").rglob("*.npy")}
    again = store_evidence([source], (3, 2), tmp_path / "evidence", told.append)
    assert len(told) == 2  # the other gap
    assert again[: len(first)] == first
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert {file.distances for file in first} == {(1, 2), (2, 1)}
    assert len({file.name for file in again}) == len(again)  # one result each in the validation
    assert np.load(first[0].before).shape == (4, 64, 64)


def test_a_recording_that_was_cut_off_is_made_again_and_a_damaged_one_is_named(
    tmp_path: Path, clip: Any
) -> None:
    source, folder = video(tmp_path, clip, tuple(range(7))), tmp_path / "evidence"
    files = store_evidence([source], (3,), folder, lambda _: None)
    index = files[0].maps.parent / "index.json"
    index.unlink()
    files[1].maps.write_bytes(b"half")
    assert store_evidence([source], (3,), folder, lambda _: None) == files
    assert np.load(files[1].maps).shape[0] == MAPS
    index.write_text(json.dumps([{"hidden": 1}]))
    with pytest.raises(DataError, match="index of recorded evidence"):
        store_evidence([source], (3,), folder, lambda _: None)


def test_stills_and_videos_with_few_labels_are_left_out(tmp_path: Path, clip: Any) -> None:
    source = video(tmp_path, clip, (0, 6))
    assert store_evidence([source], (3,), tmp_path / "evidence", lambda _: None) == []
