"""Weighted F: closed forms and monotony; equality with the reference is in test_frame_reference.py."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from vsodtool.metrics import score_frame


def f(prediction: npt.NDArray[np.uint8], truth: npt.NDArray[np.bool_]) -> float:
    value = score_frame(prediction, truth, measures=("weighted_f",), normalize="none").weighted_f
    assert value is not None
    return value


def square() -> npt.NDArray[np.bool_]:
    truth = np.zeros((60, 80), bool)
    truth[20:40, 30:50] = True
    return truth


def test_the_extremes() -> None:
    truth = square()
    perfect = truth.astype(np.uint8) * 255
    assert f(perfect, truth) == pytest.approx(1)
    assert f(np.zeros_like(perfect), truth) == pytest.approx(0, abs=1e-9)
    assert f(perfect, np.zeros_like(truth)) == 0


def test_a_false_pixel_weighs_by_its_distance() -> None:
    """One pixel of error e at distance d: P = n / (n + e (2 - 2^(-d/5))), R = 1."""
    truth = square()
    for distance, level in ((1, 255), (5, 255), (25, 51)):
        prediction = truth.astype(np.uint8) * 255
        prediction[30, 49 + distance] = level
        precision = 400 / (400 + level / 255 * (2 - 2 ** (-distance / 5)))
        assert f(prediction, truth) == pytest.approx(2 * precision / (1 + precision), abs=1e-12)


def test_a_missed_pixel_is_shared_with_its_neighbours() -> None:
    """One missed pixel inside counts only the centre of the Gaussian, and nothing spreads to right pixels."""
    truth = square()
    prediction = truth.astype(np.uint8) * 255
    prediction[30, 40] = 0
    y, x = np.mgrid[-3:4, -3:4]
    centre = 1 / np.exp(-(x**2 + y**2) / 50).sum()
    recall = 1 - centre / 400
    assert f(prediction, truth) == pytest.approx(2 * recall / (1 + recall), abs=1e-12)


def test_errors_far_away_cost_more() -> None:
    truth = square()
    scores = []
    for shift in (1, 4, 12, 28):
        prediction = truth.astype(np.uint8) * 255
        prediction[20:40, 49 + shift : 51 + shift] = 255
        scores.append(f(prediction, truth))
    assert scores == sorted(scores, reverse=True)
