"""The learned densifier as plain values."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vsodtool.errors import ConfigError
from vsodtool.models.evidence.architecture import EvidenceArchitecture


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "video"}, "kind: expected densifier, found 'video'"),
        ({"backbone": "resnet50"}, "backbone: expected efficientnet_lite0, found 'resnet50'"),
        ({"fine_width": 1}, "fine_width: expected a whole number of at least 2, found 1"),
        ({"coarse_width": True}, "coarse_width: expected a whole number"),
        ({"depth": 1}, "unknown value 'depth'"),
    ],
)
def test_impossible_densifiers_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        EvidenceArchitecture.from_dict(values)


def test_an_architecture_survives_being_written_down() -> None:
    tiny = EvidenceArchitecture(fine_width=8, middle_width=16, coarse_width=24)
    assert EvidenceArchitecture.from_dict(json.loads(json.dumps(tiny.as_dict()))) == tiny
    assert tiny.widths == (8, 16, 24)
    assert str(tiny) == "densifier, efficientnet_lite0, 8-16-24"
