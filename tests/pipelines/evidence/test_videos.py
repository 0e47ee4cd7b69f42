from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from vsodtool.data.evidence.files import EvidenceFile, read_index
from vsodtool.data.sources.labelled import LabelledVideo
from vsodtool.data.sources.training_data import DataSpec, load_training_data
from vsodtool.errors import DataError
from vsodtool.ops.evidence_maps import GUESS, IMAGE, LEFT, MAPS
from vsodtool.pipelines.densify.method import WarpMethod
from vsodtool.pipelines.densify.motion import MotionEstimators
from vsodtool.pipelines.evidence.recorder import GuessMaker
from vsodtool.pipelines.evidence.store import count_evidence, store_evidence
from vsodtool.pipelines.evidence.videos import record_video
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


def recorded(tmp_path: Path, source: LabelledVideo, gap: int, exact: Any) -> list[EvidenceFile]:
    place = tmp_path / "evidence" / str(gap)
    record_video(source, gap, GuessMaker(MotionEstimators(exact, exact), WarpMethod()), place)
    return read_index(place) or []


def test_what_is_recorded_is_what_the_densifier_knows(tmp_path: Path, clip: Any, exact: Any) -> None:
    """The camera moves by whole pixels and the flow is exact: warped labels are the hidden labels."""
    files = recorded(tmp_path, video(tmp_path, clip, tuple(range(7))), 3, exact)
    assert [file.name for file in files] == [f"0000{at} (every 3th)" for at in (1, 2, 4, 5)]
    assert [file.distances for file in files] == [(1, 2), (2, 1), (1, 2), (2, 1)]
    for file, index in zip(files, (1, 2, 4, 5), strict=True):
        maps, hidden = np.load(file.maps), np.load(file.hidden)
        assert maps.shape[0] == MAPS
        top, left = file.origin
        area = (slice(top, top + maps.shape[1]), slice(left, left + maps.shape[2]))
        np.testing.assert_array_equal(maps[:IMAGE], clip.frames[index][area].transpose(2, 0, 1))
        np.testing.assert_array_equal(hidden[:3], clip.frames[index].transpose(2, 0, 1))
        np.testing.assert_array_equal(hidden[3] > 0, clip.truth[index] > 0)
        assert not np.array_equal(np.load(file.before), np.load(file.after))
        for channel in (LEFT.start, LEFT.start + 4, GUESS):
            assert np.mean((maps[channel] > 127) != (clip.truth[index][area] > 0)) < 0.02


def test_frames_without_a_label_are_passed_but_not_recorded(tmp_path: Path, clip: Any, exact: Any) -> None:
    files = recorded(tmp_path, video(tmp_path, clip, (0, 2, 5, 6)), 2, exact)
    assert [(file.name, file.distances) for file in files] == [("00002 (every 2th)", (2, 3))]


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
