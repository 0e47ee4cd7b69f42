"""Stretching to 8 bit: closed forms, and what may not matter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.media.bit_depth import Levels, find_levels, is_deep


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32, np.float64])
def test_the_range_used_becomes_0_to_255(dtype: type) -> None:
    frames = [np.arange(100, 356, dtype=dtype).reshape(16, 16), np.full((16, 16), 120, dtype)]
    levels = find_levels(frames)
    assert levels == Levels(100, 355)
    assert np.array_equal(levels.stretch(frames[0]), np.arange(256).reshape(16, 16))
    assert (levels.stretch(frames[1]) == 20).all(), "the same for all frames"


@given(st.integers(0, 7), st.integers(0, 200))
def test_the_same_content_at_another_depth_looks_the_same(shift: int, offset: int) -> None:
    grey = np.random.default_rng(shift).integers(0, 256, (8, 8)).astype(np.uint16)
    grey.flat[:2] = 0, 255
    deep = (grey << shift) + np.uint16(offset)
    levels = find_levels([deep])
    assert levels is not None
    assert np.array_equal(levels.stretch(deep), grey)


def test_dead_and_hot_pixels_do_not_set_the_range() -> None:
    frame = np.full((200, 300), 7400, np.uint16)
    frame[:, 150:] = 7900
    frame[0, :3], frame[1, :3] = 0, 65535
    levels = find_levels([frame])
    assert levels == Levels(7400, 7900)
    assert levels.stretch(frame)[1, 0] == 255
    assert levels.stretch(frame)[0, 0] == 0


def test_what_is_no_number_is_left_out() -> None:
    frame = np.array([[np.nan, np.inf, -np.inf, 1.0, 3.0]], np.float32)
    levels = find_levels([frame])
    assert levels == Levels(1, 3)
    assert levels.stretch(frame).tolist() == [[0, 255, 0, 0, 255]]
    assert find_levels([np.full((2, 2), np.nan)]) is None


def test_8_bit_stays_as_it_is() -> None:
    frame = np.arange(40, 60, dtype=np.uint8)[None]
    assert not is_deep(frame)
    assert find_levels([frame]) is None
    assert Levels(0, 1000).stretch(frame) is frame
    assert (Levels(5, 5).stretch(np.full((2, 2), 5, np.uint16)) == 0).all(), "a single value"
