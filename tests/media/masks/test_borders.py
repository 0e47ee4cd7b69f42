"""Pixels that see their own value and nothing else, against a walk over the pixels."""

from __future__ import annotations

import numpy as np
import pytest

from vsodtool.media.masks.borders import see_themselves


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pixels_see_themselves_where_all_around_are_equal_or_nothing(
    dtype: type[np.uint8 | np.uint16],
) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        values = np.array([0, 0, 7, 7, 7, np.iinfo(dtype).max], dtype)
        plane = rng.choice(values, (7, 9)).astype(dtype)
        found = see_themselves(plane)
        for (y, x), value in np.ndenumerate(plane):
            around = plane[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
            assert value == 0 or found[y, x] == set(around.ravel().tolist()).issubset({0, int(value)})
