"""What --quality means."""

from __future__ import annotations

import pytest
import torch

from tests.native.compiled import compiled
from vsodtool.config import QUALITIES
from vsodtool.models.flow import by_patches
from vsodtool.pipelines.densify import quality
from vsodtool.pipelines.densify.quality import motion_estimators, rules
from vsodtool.types import Event, ignore_event

CPU = torch.device("cpu")


@pytest.mark.parametrize("chosen", QUALITIES)
def test_flow_by_patches_looks_coarsely_first(chosen: str) -> None:
    found = motion_estimators("dis", chosen, CPU, ignore_event)
    assert found.coarse is not None
    assert found.device == CPU


def test_what_is_not_compiled_is_said_once_for_each_run(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Event] = []
    compiled()
    motion_estimators("dis", "balanced", CPU, told.append)
    assert not told
    for module in (quality, by_patches):
        monkeypatch.setattr(module, "library", lambda: None)
    found = motion_estimators("dis", "balanced", CPU, told.append)
    assert [event.kind for event in told] == ["notice"]
    assert "python -m vsodtool.native.build" in told[0].message
    assert found.adjacent.name == "dis(0,8,4,12,2)"


def test_better_qualities_do_more() -> None:
    steps = [motion_estimators("dis", each, CPU, ignore_event).adjacent for each in QUALITIES]
    finest = [each.settings.finest_scale for each in steps]  # type: ignore[attr-defined]
    assert finest == sorted(finest, reverse=True)
    fast = motion_estimators("dis", "fast", CPU, ignore_event)
    assert fast.fine_between().adjacent is fast.between
    assert fast.between.settings.finest_scale == 0  # type: ignore[union-attr]
    balanced = motion_estimators("dis", "balanced", CPU, ignore_event)
    assert balanced.fine_between() is balanced
    assert [rules(each).name for each in QUALITIES] == ["warp"] * 3
    assert len({motion_estimators("dis", each, CPU, ignore_event).name for each in QUALITIES}) == 3


def test_other_backends_are_one_estimator_for_all(monkeypatch: pytest.MonkeyPatch, exact: object) -> None:
    told: list[Event] = []
    monkeypatch.setattr(quality, "create_estimator", lambda *given, **named: exact)
    found = motion_estimators("raft-small", "fast", CPU, told.append)
    assert found.adjacent is found.refining is exact
    assert found.coarse is None
