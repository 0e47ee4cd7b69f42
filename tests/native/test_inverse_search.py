from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.native.compiled import compiled
from vsodtool.native.inverse_search import SearchSettings, inverse_search
from vsodtool.native.library import Library

FINE = SearchSettings(0, 4, 3, 2)


def test_views_and_other_types_are_read_as_what_they_show() -> None:
    used = compiled()
    image = np.random.default_rng(0).random((64, 80)).astype(np.float32) * 255
    moved = np.roll(image, 2, axis=1)
    expected = inverse_search(used, image, moved, None, FINE)
    wide = np.zeros((64, 160), np.float32)
    wide[:, ::2] = image
    assert np.array_equal(inverse_search(used, wide[:, ::2], moved.astype(np.float64), None, FINE), expected)
    assert np.array_equal(inverse_search(used, image, moved, np.zeros((2, 64, 80)), FINE), expected)


def test_no_memory_is_an_error_and_not_a_crash() -> None:
    class Full(Library):
        def __init__(self) -> None:
            pass

        def function(self, *_: object) -> Callable[..., int]:
            return lambda *_: -1

    image = np.zeros((8, 8), np.float32)
    with pytest.raises(MemoryError):
        inverse_search(Full(), image, image, None, FINE)
