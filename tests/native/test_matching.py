"""What `tests/ops/labels/test_matching.py` does not see of the compiled search."""

from __future__ import annotations

import pytest
import torch

from tests.native.compiled import compiled
from vsodtool.native.matching import Costs, owner_costs


def test_no_memory_is_an_error_and_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    loops, image = compiled(), torch.zeros(1, 3, 4, 4)
    monkeypatch.setattr(loops, "function", lambda *_: lambda *_: -1)
    costs = Costs([(0, 0, 0)], 2040, 4.5, 18360, 4320)
    with pytest.raises(MemoryError):
        owner_costs(loops, (image, image, image[:, :1]), torch.ones(4, 4, dtype=torch.bool), (0, 0), costs)
