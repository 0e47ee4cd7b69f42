"""Dilation and erosion by four neighbours: those of OpenCV, borders included."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vsodtool.metrics.morphology import dilate, erode

CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


@given(hnp.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
@settings(deadline=None)
def test_equals_opencv(mask: npt.NDArray[np.bool_]) -> None:
    before, image = mask.copy(), mask.astype(np.uint8)
    assert np.array_equal(dilate(mask), cv2.dilate(image, CROSS) > 0)
    assert np.array_equal(erode(mask), cv2.erode(image, CROSS) > 0)
    assert np.array_equal(mask, before)
