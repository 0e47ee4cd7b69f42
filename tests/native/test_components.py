"""What `tests/ops/labels/test_connected.py` does not see of the compiled loop."""

from __future__ import annotations

import pytest
import torch

from tests.native.compiled import compiled
from vsodtool.native.components import parts


def test_no_memory_is_an_error_and_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    loops = compiled()
    monkeypatch.setattr(loops, "function", lambda *_: lambda *_: -1)
    with pytest.raises(MemoryError):
        parts(loops, torch.ones(4, 4, dtype=torch.bool), corners=True)


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (1, 1)])
def test_regions_of_nothing_or_little(size: tuple[int, int]) -> None:
    numbers, count = parts(compiled(), torch.ones(size, dtype=torch.bool), corners=False)
    assert numbers.shape == size
    assert count == numbers.numel()


def test_numbers_are_where_the_region_is_whatever_the_default_device() -> None:
    """Else the loop would write to where there is nothing."""
    loops, inside = compiled(), torch.ones(3, 4, dtype=torch.bool)
    with torch.device("meta"):
        numbers, count = parts(loops, inside, corners=True)
    assert numbers.device.type == "cpu"
    assert count == int(numbers.max()) == 1
