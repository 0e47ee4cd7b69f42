"""The shape of a U²-Net as plain values."""

from __future__ import annotations

import pytest

from vsodtool.errors import ConfigError
from vsodtool.models.u2net.architecture import U2NetArchitecture


def test_the_defaults_are_those_of_u2netp() -> None:
    assert str(U2NetArchitecture()) == "u2net, 64-16"


@pytest.mark.parametrize(
    ("values", "text"),
    [({"kind": "unet"}, "kind"), ({"width": 0}, "width"), ({"inner_width": -1}, "inner_width")],
)
def test_what_cannot_be_built_is_refused(values: dict[str, object], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        U2NetArchitecture(**values)  # type: ignore[arg-type]
