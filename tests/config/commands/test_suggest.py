"""The options of `suggest` that do not go together."""

from __future__ import annotations

import pytest

from vsodtool.config import SuggestConfig
from vsodtool.errors import ConfigError


def test_the_listed_frames() -> None:
    assert SuggestConfig(inputs=("a.mp4",), frames=" 12, 80,,a/3 ").listed == ["12", "80", "a/3"]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"inputs": ()}, "no input given"),
        ({"number": 0}, "number: expected a whole number of at least 1"),
        ({"every": -1}, "every: expected"),
        ({"every": 3, "frames": "4"}, "expected --every or --frames, found both"),
    ],
)
def test_refused(options: dict[str, object], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        SuggestConfig(**{"inputs": ("a.mp4",), **options})  # type: ignore[arg-type]
