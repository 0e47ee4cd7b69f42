"""What a measure may ask of a frame, and what the table's functions make of it."""

from __future__ import annotations

import numpy as np
import pytest

from vsodtool.metrics import boundary_f, region_j, score_frame
from vsodtool.metrics.pair import Pair, boundary, e, f, iou, j, mae, stability, structure, weighted

TRUTH = np.zeros((20, 30), bool)
TRUTH[4:14, 5:20] = True
PREDICTION = np.where(np.roll(TRUTH, 2, axis=1), np.uint8(200), np.uint8(20))


@pytest.mark.parametrize("normalize", ["min-max", "none"])
def test_measures_of_maps_are_those_of_score_frame(normalize: str) -> None:
    pair = Pair(PREDICTION, TRUTH, normalize=normalize)  # type: ignore[arg-type]
    expected = score_frame(PREDICTION, TRUTH, normalize=normalize)  # type: ignore[arg-type]
    for compute in (mae, f, weighted, structure, e, iou):
        for name, value in compute(pair).items():
            assert value is not None
            assert np.array_equal(value, getattr(expected, name))


def test_the_mask_begins_at_the_threshold_and_the_other_above_it() -> None:
    pair = Pair(np.array([[0, 102, 103, 255]], np.uint8), np.ones((1, 4), bool), threshold=0.4)
    assert pair.mask.tolist() == [[False, True, True, True]]
    assert pair.mask_above.tolist() == [[False, False, True, True]]


def test_objects_are_measured_one_by_one_without_void() -> None:
    first, second = TRUTH, np.roll(TRUTH, 8, axis=0) & ~TRUTH
    void = np.zeros_like(TRUTH)
    void[:, 18:] = True
    objects = {3: (np.roll(first, 1, axis=1), first), 7: (np.zeros_like(first), second)}
    pair = Pair(PREDICTION, first | second, objects, void)
    assert j(pair) == {"j": {3: region_j(*objects[3], void), 7: 0}}
    assert boundary(pair) == {"boundary_f": {3: boundary_f(*objects[3], void=void), 7: 0}}


def test_without_ids_all_objects_are_one() -> None:
    assert j(Pair(PREDICTION, TRUTH)) == {"j": {1: region_j(PREDICTION >= 128, TRUTH)}}


def test_stability_needs_a_frame_before() -> None:
    mask = PREDICTION >= 128
    assert stability(Pair(PREDICTION, TRUTH)) == {}
    assert stability(Pair(PREDICTION, TRUTH, before=(mask, TRUTH))) == {"stability": 1}
    nothing = np.zeros_like(TRUTH)
    assert stability(Pair(nothing.view(np.uint8), TRUTH, before=(nothing, TRUTH))) == {"stability": None}
