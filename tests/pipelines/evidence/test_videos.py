from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vsodtool.data.evidence.files import EvidenceFile, read_index
from vsodtool.data.sources.labelled import LabelledVideo
from vsodtool.data.sources.training_data import DataSpec, load_training_data
from vsodtool.pipelines.densify.method import WarpMethod
from vsodtool.pipelines.densify.motion import MotionEstimators
from vsodtool.pipelines.evidence.recorder import GuessMaker
from vsodtool.pipelines.evidence.videos import record_video

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


def test_frames_without_a_label_are_passed_but_not_recorded(tmp_path: Path, clip: Any, exact: Any) -> None:
    files = recorded(tmp_path, video(tmp_path, clip, (0, 2, 5, 6)), 2, exact)
    assert [(file.name, file.distances) for file in files] == [("00002 (every 2th)", (2, 3))]
