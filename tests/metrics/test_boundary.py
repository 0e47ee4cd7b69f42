"""Boundary F: against a brute-force oracle, and against the independent scoring tool on real masks."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vsodtool.errors import DataError
from vsodtool.metrics import boundary_f, mean_absolute_error, region_j
from vsodtool.metrics.boundary import boundary

Mask = npt.NDArray[np.bool_]


def oracle(pred: Mask, truth: Mask, tolerance: float) -> float:
    """The definition written out: all pairs of boundary points."""

    def outline(mask: Mask) -> npt.NDArray[np.int64]:
        height, width = mask.shape
        points = []
        for y in range(height):
            for x in range(width):
                neighbours = [(y, x + 1), (y + 1, x), (y + 1, x + 1)]
                if any(v < height and u < width and mask[v, u] != mask[y, x] for v, u in neighbours):
                    points.append((y, x))
        return np.array(points, np.int64).reshape(-1, 2)

    a, b = outline(pred), outline(truth)
    if len(a) == 0 or len(b) == 0:
        return float(len(a) == len(b))
    radius = int(np.ceil(tolerance * np.hypot(*truth.shape)))
    near = ((a[:, None] - b[None]) ** 2).sum(-1) <= radius**2
    precision, recall = near.any(1).mean(), near.any(0).mean()
    return 0.0 if precision + recall == 0 else float(2 * precision * recall / (precision + recall))


@given(
    st.tuples(st.integers(1, 14), st.integers(1, 14)).flatmap(
        lambda size: st.tuples(hnp.arrays(bool, size), hnp.arrays(bool, size))
    ),
    st.sampled_from([0.0, 0.008, 0.1, 0.3, 2.0]),
)
@settings(max_examples=150, deadline=None)
def test_equals_the_definition(masks: tuple[Mask, Mask], tolerance: float) -> None:
    assert boundary_f(*masks, tolerance) == pytest.approx(oracle(*masks, tolerance), abs=1e-12)


def test_masks_without_outline() -> None:
    empty, dot = np.zeros((9, 9), bool), np.zeros((9, 9), bool)
    dot[4, 4] = True
    assert boundary_f(empty, empty) == 1.0
    assert boundary_f(empty, ~empty) == 1.0  # a full mask has no outline either: so does DAVIS
    assert boundary_f(dot, empty) == boundary_f(empty, dot) == 0.0


def test_a_shift_within_the_tolerance_is_perfect_and_beyond_it_is_not() -> None:
    truth = np.zeros((480, 854), bool)
    truth[100:300, 200:500] = True
    radius = 8  # ceil(0.008 * hypot(480, 854))
    assert boundary_f(np.roll(truth, radius, axis=1), truth) == 1.0
    assert boundary_f(np.roll(truth, radius + 1, axis=1), truth) < 1.0


def test_arguments_stay_as_they_were() -> None:
    mask = np.eye(12, dtype=bool)
    before = mask.copy()
    boundary(mask)
    boundary_f(mask, mask)
    assert np.array_equal(mask, before)


@pytest.mark.parametrize("tolerance", [-0.1, float("nan"), float("inf")])
def test_refuses_senseless_tolerances(tolerance: float) -> None:
    with pytest.raises(DataError, match="tolerance"):
        boundary_f(np.eye(4, dtype=bool), np.eye(4, dtype=bool), tolerance)


def load_tool(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("score_masks", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_equals_the_scoring_tool_on_real_masks(shared: Path) -> None:
    threads = cv2.getNumThreads()
    tool = load_tool(shared / "tools" / "score_masks.py")
    root = shared / "data" / "davis-dev" / "Annotations" / "480p"
    try:
        for video in ("bmx-trees", "dance-twirl", "kite-surf", "camel"):
            files = sorted((root / video).glob("*.png"))
            for first, second in ((0, 1), (10, 14), (20, 40), (30, 30)):
                pred, truth = (tool.read(files[i]) > 127 for i in (first, second))
                assert boundary_f(pred, truth) == tool.boundary_f(pred, truth)
                assert region_j(pred, truth) == tool.region_j(pred, truth)
                assert np.array_equal(boundary(truth), tool.boundary(truth) > 0)
                expected = np.abs(pred.astype(np.float32) - truth).mean()
                assert mean_absolute_error(pred, truth) == pytest.approx(expected, abs=1e-6)
    finally:
        cv2.setNumThreads(threads)
