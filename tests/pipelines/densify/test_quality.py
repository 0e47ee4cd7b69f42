"""What --quality means."""

from __future__ import annotations

import pytest
import torch

from vsodtool.config import QUALITIES
from vsodtool.pipelines.densify.quality import motion_estimators, rules
from vsodtool.types import Event, ignore_event

CPU = torch.device("cpu")


@pytest.mark.parametrize("quality", QUALITIES)
def test_dis_looks_coarsely_first_and_shares_what_is_alike(quality: str) -> None:
    found = motion_estimators("dis", quality, CPU, ignore_event)
    assert found.coarse is not None
    assert found.device == CPU
    assert (found.adjacent is found.refining) == (found.adjacent.name == found.refining.name)


def test_better_qualities_do_more() -> None:
    steps = [motion_estimators("dis", quality, CPU, ignore_event).adjacent for quality in QUALITIES]
    finest = [each.settings.finest_scale for each in steps]  # type: ignore[attr-defined]
    assert finest == sorted(finest, reverse=True)
    assert (
        motion_estimators("dis", "fast", CPU, ignore_event, thinned=True).adjacent.name
        == motion_estimators("dis", "balanced", CPU, ignore_event).adjacent.name
    )
    assert [rules(quality).name for quality in QUALITIES] == ["warp"] * 3
    assert len({motion_estimators("dis", quality, CPU, ignore_event).name for quality in QUALITIES}) == 3


def test_other_backends_are_one_estimator_for_all(monkeypatch: pytest.MonkeyPatch, exact: object) -> None:
    from vsodtool.pipelines.densify import quality

    told: list[Event] = []
    monkeypatch.setattr(quality, "create_estimator", lambda *given, **named: exact)
    found = motion_estimators("raft-small", "fast", CPU, told.append)
    assert found.adjacent is found.refining is exact
    assert found.coarse is None
