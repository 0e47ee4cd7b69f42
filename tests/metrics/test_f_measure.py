"""Precision, recall and F: closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from vsodtool.metrics import score_frame
from vsodtool.metrics.f_measure import f_measure, precision_recall


def test_counts_become_precision_and_recall() -> None:
    precision, recall = precision_recall([3, 0, 0], [4, 5, 0], 6)
    assert precision.tolist() == [0.75, 0, 0]
    assert recall.tolist() == [0.5, 0, 0]


def test_an_empty_truth_has_no_recall() -> None:
    precision, recall = precision_recall(0, 7, 0)
    assert (float(precision), float(recall)) == (0, 0)
    assert float(f_measure(precision, recall)) == 0


def test_f_is_the_weighted_harmonic_mean() -> None:
    assert float(f_measure(0.8, 0.4)) == pytest.approx(1.3 * 0.8 * 0.4 / (0.3 * 0.8 + 0.4))
    assert float(f_measure(0.5, 0.5, beta_squared=1)) == pytest.approx(0.5)
    assert f_measure([1.0, 0.0], [1.0, 0.0]).tolist() == [1, 0]


def test_curves_of_a_map_of_three_values() -> None:
    truth = np.array([[True, True, False, False]])
    scores = score_frame(np.array([[255, 100, 100, 0]], np.uint8), truth, measures=("f",))
    assert scores.precision_curve is not None
    assert scores.recall_curve is not None
    # threshold 0: everything; 1 to 100: three pixels, two of them right; above: the first only
    assert scores.precision_curve[[0, 1, 100, 101, 255]].tolist() == [0.5, 2 / 3, 2 / 3, 1, 1]
    assert scores.recall_curve[[0, 1, 100, 101, 255]].tolist() == [1, 1, 1, 0.5, 0.5]
    # mean (255 + 100 + 100) / 4 / 255, doubled: .89, so the first pixel only
    assert (scores.adaptive_precision, scores.adaptive_recall) == (1, 0.5)
    assert scores.adaptive_f == pytest.approx(1.3 * 0.5 / (0.3 + 0.5))
