"""One option of the verbs that carry something from frame to frame: the same words and default for all."""

from __future__ import annotations

from dataclasses import fields

import pytest

from vsodtool.config import (
    CommonConfig,
    FlowConfig,
    PredictConfig,
    PseudoLabelConfig,
    SuggestConfig,
    options_of,
)
from vsodtool.config.cuts import AUTO, NONE


@pytest.mark.parametrize("kind", [PseudoLabelConfig, PredictConfig, SuggestConfig])
def test_cuts_are_found_unless_something_else_is_said(kind: type[CommonConfig]) -> None:
    cuts = options_of(kind)["cuts"]
    (default,) = [each.default for each in fields(kind) if each.name == "cuts"]
    assert default == AUTO
    assert cuts.metavar == "auto|none|FILE"
    assert tuple(cuts.usual) == (AUTO, NONE)


def test_flow_is_estimated_across_cuts() -> None:
    assert "cuts" not in options_of(FlowConfig)
