"""score_frame: what is asked for and what is not, IoU, empty truths, refusals."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from vsodtool.errors import DataError
from vsodtool.metrics import MEASURES, FrameScores, region_j, score_frame

TRUTH = np.zeros((8, 9), bool)
TRUTH[2:5, 3:7] = True
PREDICTION = np.random.default_rng(1).integers(0, 256, TRUTH.shape).astype(np.uint8)

NAMES = {
    "mae": {"mae"},
    "f": {
        "precision_curve",
        "recall_curve",
        "f_curve",
        "adaptive_precision",
        "adaptive_recall",
        "adaptive_f",
    },
    "e": {"e_curve", "adaptive_e"},
    "s_measure": {"s_measure"},
    "weighted_f": {"weighted_f"},
    "iou": {"iou"},
}


def filled(scores: FrameScores) -> set[str]:
    return {f.name for f in fields(scores) if getattr(scores, f.name) is not None} - {"empty_truth"}


@pytest.mark.parametrize("measure", MEASURES)
def test_gives_what_was_asked_for_and_the_same_as_with_all_others(measure: str) -> None:
    alone, together = score_frame(PREDICTION, TRUTH, measures=[measure]), score_frame(PREDICTION, TRUTH)
    assert filled(alone) == NAMES[measure]
    for name in NAMES[measure]:
        assert np.array_equal(getattr(alone, name), getattr(together, name))


def test_all_measures_are_the_default() -> None:
    assert filled(score_frame(PREDICTION, TRUTH)) == set.union(*NAMES.values())


@pytest.mark.parametrize("threshold", [0.2, 0.5, 128 / 255, 1.0])
def test_iou_is_j_of_the_thresholded_map(threshold: float) -> None:
    scores = score_frame(PREDICTION, TRUTH, measures=["iou"], normalize="none", threshold=threshold)
    values = PREDICTION / 255
    assert scores.iou == region_j(values >= threshold, TRUTH)


def test_half_of_8_bits_begins_at_128() -> None:
    prediction = np.array([[127, 128]], np.uint8)
    scores = score_frame(prediction, np.array([[False, True]]), measures=["iou"], normalize="none")
    assert scores.iou == 1


def test_an_empty_truth_is_said_and_two_empty_masks_agree() -> None:
    nothing = np.zeros((4, 4), bool)
    scores = score_frame(np.zeros((4, 4), np.uint8), nothing)
    assert scores.empty_truth
    assert not score_frame(PREDICTION, TRUTH).empty_truth
    assert (scores.mae, scores.iou, scores.s_measure, scores.weighted_f, scores.adaptive_f) == (0, 1, 1, 0, 0)


def test_the_stretch_turns_a_near_black_map_into_noise() -> None:
    near_black = np.zeros((10, 10), np.uint8)
    near_black[::2] = 1
    nothing = np.zeros((10, 10), bool)
    assert score_frame(near_black, nothing, measures=["mae"]).mae == 0.5
    unstretched = score_frame(near_black, nothing, measures=["mae"], normalize="none").mae
    assert unstretched == pytest.approx(0.5 / 255)


def test_a_view_scores_as_its_copy() -> None:
    big = np.random.default_rng(2).integers(0, 256, (40, 60)).astype(np.uint8)
    truth = big > 190
    for view, part in ((big[::2, ::3], truth[::2, ::3]), (big.T, truth.T)):
        a, b = score_frame(view, part), score_frame(np.ascontiguousarray(view), np.ascontiguousarray(part))
        for name in filled(a):
            np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=0, atol=1e-12)


def test_arguments_stay_as_they_were() -> None:
    prediction, truth = PREDICTION.copy(), TRUTH.copy()
    score_frame(prediction, truth)
    assert np.array_equal(prediction, PREDICTION)
    assert np.array_equal(truth, TRUTH)


def test_refuses_an_unknown_measure() -> None:
    with pytest.raises(DataError, match="found fbeta"):
        score_frame(PREDICTION, TRUTH, measures=["mae", "fbeta"])


def test_refuses_sizes_that_differ() -> None:
    with pytest.raises(DataError, match=r"\(8, 9\).*\(9, 8\)"):
        score_frame(PREDICTION, TRUTH.T)


def test_refuses_a_truth_that_is_not_bool() -> None:
    with pytest.raises(DataError, match="truth: expected a bool mask, found uint8"):
        score_frame(PREDICTION, TRUTH.astype(np.uint8))  # type: ignore[arg-type]
