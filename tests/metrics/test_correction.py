"""Human Correction Effort of the package, an extra: what it says, and what must cost nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vsodtool.errors import DataError
from vsodtool.metrics.correction import hce, human_correction_effort
from vsodtool.metrics.pair import Pair


@pytest.fixture
def truth(pysodmetrics: Any) -> np.ndarray[Any, np.dtype[np.bool_]]:
    found = np.zeros((80, 80), bool)
    found[15:45, 15:45] = True
    return found


def test_what_is_right_or_nearly_right_costs_nothing(truth: Any) -> None:
    assert human_correction_effort(truth, truth) == 0
    assert human_correction_effort(np.roll(truth, 2, axis=0), truth) == 0


def test_an_error_apart_is_one_click(truth: Any) -> None:
    pred = truth.copy()
    pred[50:75, 50:75] = True
    assert human_correction_effort(pred, truth) == 1


def test_equals_the_steps_of_the_package(truth: Any, pysodmetrics: Any) -> None:
    measure = pysodmetrics.HumanCorrectionEffortMeasure()
    pred = np.roll(truth, 12, axis=1)
    measure.step(pred.astype(np.float64), truth, normalize=False)
    assert human_correction_effort(pred, truth) == measure.get_results()["hce"] > 0


def test_it_is_asked_above_the_threshold(truth: Any) -> None:
    at_half = np.where(truth, np.uint8(255), np.uint8(0))
    assert hce(Pair(at_half, truth, threshold=1.0))["hce"] == human_correction_effort(~truth & truth, truth)
    assert hce(Pair(at_half, truth, threshold=0.5)) == {"hce": 0}


def test_refuses_masks_that_do_not_fit() -> None:
    with pytest.raises(DataError, match=r"\(3, 3\).*\(3, 4\)"):
        human_correction_effort(np.zeros((3, 3), bool), np.zeros((3, 4), bool))
