"""Human Correction Effort: against `pysodmetrics`, and what must cost nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsodtool.errors import DataError
from vsodtool.metrics import human_correction_effort

Mask = npt.NDArray[np.bool_]

# the reference simplifies lines with OpenCV, which changed
pytestmark = pytest.mark.skipif(
    tuple(int(n) for n in cv2.__version__.split(".")[:2]) < (4, 13), reason="needs OpenCV 4.13 or newer"
)


def expected(pysodmetrics: Any, pred: Mask, truth: Mask) -> float:
    measure = pysodmetrics.HumanCorrectionEffortMeasure()
    measure.step(pred.astype(np.float64), truth, normalize=False)
    return float(measure.get_results()["hce"])


def blobs(rng: np.random.Generator, size: tuple[int, int]) -> Mask:
    noise = cv2.GaussianBlur(rng.random(size), (0, 0), float(rng.uniform(0.4, 6)))
    return np.asarray(noise > np.quantile(noise, rng.uniform(0.05, 0.95)))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_equals_the_reference_on_random_blobs(pysodmetrics: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width = (int(n) for n in rng.integers(1, 90, 2))
    truth = blobs(rng, (height, width))
    pred = blobs(rng, (height, width)) if rng.random() < 0.6 else np.roll(truth, rng.integers(0, 12), axis=1)
    assert human_correction_effort(pred, truth) == expected(pysodmetrics, pred, truth)


def test_equals_the_reference_without_object_and_without_background(pysodmetrics: Any) -> None:
    truth = blobs(np.random.default_rng(7), (40, 50))
    nothing = np.zeros_like(truth)
    for a in (truth, nothing, ~nothing):
        for b in (truth, nothing, ~nothing):
            assert human_correction_effort(a, b) == expected(pysodmetrics, a, b)


def test_equals_the_reference_on_real_masks(pysodmetrics: Any, shared: Path) -> None:
    root = shared / "data" / "davis-dev" / "Annotations" / "480p"
    for video in ("bmx-trees", "kite-surf"):
        files = sorted((root / video).glob("*.png"))
        masks = [cv2.imread(str(files[i]), cv2.IMREAD_GRAYSCALE) > 127 for i in (0, 12)]
        assert human_correction_effort(*masks) == expected(pysodmetrics, *masks) > 0


def test_what_is_right_or_nearly_right_costs_nothing() -> None:
    truth = np.zeros((60, 60), bool)
    truth[15:45, 15:45] = True
    assert human_correction_effort(truth, truth) == 0
    assert human_correction_effort(np.roll(truth, 2, axis=0), truth) == 0
    assert human_correction_effort(np.roll(truth, 2, axis=0), truth, relax=0) > 0


def test_an_error_apart_is_one_click() -> None:
    truth = np.zeros((80, 80), bool)
    truth[5:25, 5:25] = True
    pred = truth.copy()
    pred[45:70, 45:70] = True
    assert human_correction_effort(pred, truth) == 1


def test_refuses_masks_that_do_not_fit() -> None:
    with pytest.raises(DataError, match=r"\(3, 3\).*\(3, 4\)"):
        human_correction_effort(np.zeros((3, 3), bool), np.zeros((3, 4), bool))
