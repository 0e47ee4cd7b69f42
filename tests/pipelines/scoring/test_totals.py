"""Sums, means and series: closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from vsodtool.config.protocols import PROTOCOLS
from vsodtool.errors import DataError
from vsodtool.pipelines.scoring.frame import FrameResult
from vsodtool.pipelines.scoring.totals import (
    Sums,
    VideoTotals,
    e_scores,
    f_scores,
    frame_scores,
    ordered,
    pooled_sequence_scores,
    sequence_scores,
    total,
)

DAVIS, DAVSOD, TOOLBOX = (PROTOCOLS[name] for name in ("davis", "davsod", "toolbox"))
CURVE = np.linspace(0, 1, 256)


def test_a_mean_is_taken_over_the_frames_that_have_a_value() -> None:
    sums = Sums()
    sums.add({"mae": 0.2, "stability": None, "f_curve": CURVE})
    sums.add({"mae": 0.4, "stability": 0.5, "f_curve": CURVE * 0, "j": {1: 0.3}})
    mean = sums.mean()
    assert (sums.frames, mean.frames) == (2, 1)
    assert mean.parts["mae"] == pytest.approx(0.3)
    assert mean.parts["stability"] == 0.5
    np.testing.assert_allclose(mean.parts["f_curve"], CURVE / 2)
    assert "j" not in mean.parts


def test_totals_leave_their_parts_as_they_were() -> None:
    one, two = Sums(), Sums()
    one.add({"e_curve": CURVE})
    two.add({"e_curve": CURVE})
    both = total([one, two])
    np.testing.assert_array_equal(both.parts["e_curve"], 2 * CURVE)
    np.testing.assert_array_equal(one.parts["e_curve"], CURVE)
    assert (both.frames, one.frames) == (2, 1)


def test_f_comes_from_where_the_protocol_says() -> None:
    parts = {"f_curve": CURVE, "precision_curve": CURVE, "recall_curve": CURVE * 0.5, "adaptive_f": 0.25}
    assert f_scores(parts, DAVSOD) == pytest.approx({"max_f": 1, "mean_f": 0.5, "adaptive_f": 0.25})
    best = 1.3 * 1 * 0.5 / (0.3 * 1 + 0.5)
    assert f_scores(parts, TOOLBOX) == pytest.approx({"max_f": best, "mean_f": 0.25, "adaptive_f": 0.25})
    assert f_scores({}, DAVSOD) == e_scores({}, DAVSOD) == {}


def test_objects_of_a_frame_count_the_same() -> None:
    result = FrameResult({"j": {1: 0.2, 5: 0.6}, "boundary_f": {}, "mae": 0.1})
    assert frame_scores(result, DAVIS) == pytest.approx({"j": 0.4})
    assert frame_scores(result, DAVSOD) == pytest.approx({"mae": 0.1, "j": 0.4})


def test_an_object_that_neither_has_is_right_unless_nothing_was_predicted() -> None:
    video = VideoTotals("v")
    for parts, missing in (({"j": {1: 0.5}}, False), ({"j": {1: 0.7, 2: 0.9}}, False), ({"j": {}}, True)):
        video.add(FrameResult(parts, truth_ids=(1, 2), missing=missing), frozenset())
    series = video.series()["j"]
    assert {number: values.tolist() for number, values in series.items()} == {
        1: [0.5, 0.7, 0.0],
        2: [1.0, 0.9, 0.0],
    }


def test_an_object_of_the_first_truth_counts_where_no_frame_has_it() -> None:
    video = VideoTotals("v", first_ids=(1, 3))
    for missing in (False, True):
        video.add(FrameResult({"j": {1: 0.5}}, truth_ids=(1,), missing=missing), frozenset())
    series = video.series()["j"]
    assert {number: values.tolist() for number, values in series.items()} == {1: [0.5, 0.5], 3: [1.0, 0.0]}


def test_a_stranger_is_refused() -> None:
    video = VideoTotals("clip")
    video.add(FrameResult({"j": {4: 0.0}}, truth_ids=(1,)), frozenset())
    with pytest.raises(DataError, match="clip: expected predictions of the objects 1, found object 4"):
        video.series()


def test_frames_without_an_object_stand_apart_unless_a_measure_does_not_tell() -> None:
    video = VideoTotals("v")
    video.add(FrameResult({"mae": 0.5, "hce": 7.0}, empty_truth=True), frozenset({"hce"}))
    video.add(FrameResult({"mae": 0.1, "hce": 1.0}), frozenset({"hce"}))
    assert (video.frames, video.empty.parts, video.drawn.parts) == (2, {"mae": 0.5}, {"mae": 0.1})
    assert video.sums.mean().parts == {"mae": 0.3, "hce": 4.0}


def test_series_become_mean_recall_and_decay_and_pooled_ones_have_no_decay() -> None:
    series = {"j": [np.array([1.0, 0.2]), np.array([0.6, 0.6])], "boundary_f": [np.array([0.5, 0.5])]}
    scores = sequence_scores(series)
    assert scores["j_mean"] == pytest.approx(0.6)
    assert scores["j_recall"] == pytest.approx(0.75)
    assert scores["j_decay"] == pytest.approx(0.4)
    assert scores["j_and_f"] == pytest.approx(0.55)
    assert set(pooled_sequence_scores(series)) == {
        "j_mean", "j_recall", "boundary_f_mean", "boundary_f_recall",
    }  # fmt: skip
    assert list(ordered({"stability": 1.0, "j_mean": 0.5, "mae": 0.2})) == ["mae", "j_mean", "stability"]
