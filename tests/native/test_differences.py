"""What the tests of `ops` do not see of the compiled differences."""

from __future__ import annotations

import pytest
import torch

from tests.native.compiled import compiled
from vsodtool.native.differences import largest_differences, mean_differences


def test_no_memory_is_an_error_and_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    loops, image = compiled(), torch.zeros(1, 3, 4, 4)
    monkeypatch.setattr(loops, "function", lambda *_: lambda *_: -1)
    with pytest.raises(MemoryError):
        largest_differences(loops, image, image, torch.ones(3))
    with pytest.raises(MemoryError):
        mean_differences(loops, image, image)
