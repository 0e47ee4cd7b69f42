"""Evidence is recorded once, and found again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.pipelines.evidence.test_videos import PAN, Film, video
from vsodtool.data.sources.training_data import DataSpec, load_training_data
from vsodtool.errors import DataError
from vsodtool.ops.labels.evidence_maps import MAPS
from vsodtool.pipelines.evidence.store import count_evidence, store_evidence
from vsodtool.types import Event


@pytest.fixture
def clip(film: Film, tmp_path: Path) -> Any:
    made = film(PAN, size=(64, 64), objects={1: (72, 75, 30, 25)})
    made.write_folder(tmp_path / "data" / "JPEGImages" / "clip")
    made.write_folder(tmp_path / "data" / "JPEGImages" / "other")
    return made


def test_other_masks_are_other_evidence(tmp_path: Path, clip: Any) -> None:
    folder = tmp_path / "evidence"
    first = store_evidence([video(tmp_path, clip, tuple(range(7)))], (3,), folder, lambda _: None)
    mask = tmp_path / "data" / "Annotations" / "clip" / "00003.png"
    assert cv2.imwrite(str(mask), np.zeros((64, 64), np.uint8))
    other = tmp_path / "data" / "Annotations" / "other" / "00003.png"
    assert cv2.imwrite(str(other), np.zeros((64, 64), np.uint8))
    spec = DataSpec(data=(str(tmp_path / "data"),), validation_share=0.5)
    changed = load_training_data(spec, cache=tmp_path / "cache").train[0]
    again = store_evidence([changed], (3,), folder, lambda _: None)
    assert {file.maps.parent for file in again}.isdisjoint({file.maps.parent for file in first})


def test_counting_needs_no_recording(tmp_path: Path, clip: Any) -> None:
    source = video(tmp_path, clip, tuple(range(7)))
    files = store_evidence([source], (3, 2), tmp_path / "evidence", lambda _: None)
    assert count_evidence([source], (3, 2)) == len(files) == 4 + 3


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
