"""One frame: what is read once, what a missing prediction scores, what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from vsodtool.config.measures import MEASURES
from vsodtool.config.protocols import PROTOCOLS, Choices
from vsodtool.errors import DataError, UsageError
from vsodtool.media.maps.pairing import PairedFrame
from vsodtool.media.maps.reading import detect_prediction, detect_truth
from vsodtool.metrics import region_j
from vsodtool.pipelines.scoring.frame import FrameTask, require_packages, score_task

SQUARE = np.zeros((20, 30), np.uint8)
SQUARE[5:15, 5:15] = 255


def choices(*measures: str) -> Choices:
    return replace(PROTOCOLS["davis"], measures=measures)


def task(tmp_path: Path, *predictions: np.ndarray[Any, Any] | None, before: bool = False) -> FrameTask:
    """A frame with the square as its truth, and one prediction per method."""
    truth = tmp_path / "gt.png"
    cv2.imwrite(str(truth), SQUARE)
    files: list[Path | None] = []
    for index, values in enumerate(predictions):
        file = tmp_path / f"p{index}.png"
        if values is not None:
            cv2.imwrite(str(file), values)
        files.append(None if values is None else file)
    reading = detect_truth([truth], 127)
    readings = tuple(detect_prediction([file or truth], reading, "masks") for file in files)
    frame = PairedFrame("0", truth, tuple(files))
    return FrameTask("v", frame, reading, readings, False, frame if before else None)


def test_every_method_is_scored_against_the_same_truth(tmp_path: Path) -> None:
    moved = np.roll(SQUARE, 4, axis=1)
    own, other = score_task(task(tmp_path, SQUARE, moved), choices("j", "mae"), allow_resize=False)
    assert own.parts == {"j": {1: 1.0}, "mae": 0.0}
    assert other.parts["j"] == {1: region_j(moved > 0, SQUARE > 0)}


def test_a_missing_prediction_scores_what_the_table_says(tmp_path: Path) -> None:
    names = ("mae", "f", "weighted_f", "s_measure", "e", "iou", "j", "boundary_f", "stability")
    (result,) = score_task(task(tmp_path, None, before=True), choices(*names), allow_resize=False)
    assert result.missing
    assert result.parts.pop("mae") == 1  # type: ignore[attr-defined]
    for value in result.parts.values():
        assert not np.any(list(value.values()) if isinstance(value, dict) else value)
    assert {"f_curve", "e_curve", "adaptive_f", "stability"} <= result.parts.keys()
    assert result.parts["j"] == {1: 0.0}


def test_another_size_is_refused_or_resized(tmp_path: Path) -> None:
    small = cv2.resize(SQUARE, (15, 10), interpolation=cv2.INTER_AREA)
    with pytest.raises(DataError, match=r"expected 30x20 like .* found 15x10"):
        score_task(task(tmp_path, small), choices("j"), allow_resize=False)
    (result,) = score_task(task(tmp_path, small), choices("j"), allow_resize=True)
    assert result.resized
    assert result.parts["j"] == {1: pytest.approx(1, abs=0.25)}


def test_a_prediction_of_frames_that_were_not_turned(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"found 20x30 \(width and height are swapped\)") as caught:
        score_task(task(tmp_path, SQUARE.T.copy()), choices("j"), allow_resize=False)
    assert "--allow-resize" not in caught.value.hint


def test_a_measure_whose_package_is_absent_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    require_packages([name for name in MEASURES if not MEASURES[name].needs])
    monkeypatch.setattr("vsodtool.pipelines.scoring.frame.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="measure 'hce' is computed by py_sod_metrics") as caught:
        require_packages(["mae", "hce"])
    assert "pip install 'vsodtool[hce]'" in caught.value.hint
