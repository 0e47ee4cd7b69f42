"""What `tests/ops/labels/test_edges.py` does not see of the compiled filter."""

from __future__ import annotations

import pytest
import torch

from tests.native.compiled import compiled
from vsodtool.native.guided_filter import guided_filter


def test_no_memory_is_an_error_and_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    loops, image = compiled(), torch.zeros(1, 3, 4, 4)
    monkeypatch.setattr(loops, "function", lambda *_: lambda *_: -1)
    with pytest.raises(MemoryError):
        guided_filter(loops, image[:, :1], image, (0.3, 0.6, 0.1), 1e-3)
