"""Control points: as many as OpenCV keeps."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsodtool.metrics.polyline import Points, control_points

SEGMENTS = tuple(int(n) for n in cv2.__version__.split(".")[:2]) >= (4, 13)
POINTS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=30, unique=True)


@pytest.mark.skipif(not SEGMENTS, reason="OpenCV before 4.13 measures distances from lines, not segments")
@given(POINTS, st.sampled_from([1.0, 2.0, 3.5]))
@settings(max_examples=200, deadline=None)
def test_equals_opencv(line: Points, tolerance: float) -> None:
    curve = np.array([[(x, y)] for y, x in line], np.int32)
    assert control_points(line, tolerance) == len(cv2.approxPolyDP(curve, tolerance, False))


def test_counts_the_corners() -> None:
    right = [(0, x) for x in range(20)]
    down = [(y, 19) for y in range(1, 20)]
    assert control_points(right[:1], 2.0) == 1
    assert control_points(right, 2.0) == 2
    assert control_points(right + down, 2.0) == 3
