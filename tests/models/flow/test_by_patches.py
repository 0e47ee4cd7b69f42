from __future__ import annotations

import pytest
import torch

from tests.native.compiled import compiled
from vsodtool.models.flow import by_patches
from vsodtool.models.flow.by_patches import ByPatches
from vsodtool.models.flow.dis import DisEstimator, DisSettings
from vsodtool.models.flow.inverse_search import InverseSearchEstimator
from vsodtool.native.inverse_search import SearchSettings

LINE = ByPatches(SearchSettings(0, 4, 3, 1), DisSettings(0, 8, 4, 12, 2))


def test_it_is_ours_where_it_is_compiled() -> None:
    compiled()
    used = LINE.estimator()
    assert isinstance(used, InverseSearchEstimator)
    assert used.settings == LINE.own


def test_it_is_opencvs_where_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_patches, "library", lambda: None)
    used = LINE.estimator()
    assert isinstance(used, DisEstimator)
    assert used.settings == LINE.opencv
    assert used.estimate(torch.rand(1, 3, 40, 50), torch.rand(1, 3, 40, 50)).shape == (1, 2, 40, 50)
