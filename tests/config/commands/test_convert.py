"""The options of convert, and those of reading annotation files."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsodtool.config.commands.convert import ConvertConfig
from vsodtool.errors import ConfigError


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"to": "cvat"}, "-o: expected what to write"),
        ({"output": "x"}, "--to: expected what to write"),
        ({"output": "x", "to": "cvat", "image_url": "/data"}, r"image_url: expected \{path\} in it"),
        ({"output": "x", "to": "cvat", "frames": "every:0"}, "frames: expected every:K with K of at least 1"),
        ({"output": "x", "to": "cvat", "objects": "attribute:"}, "expected a name after 'attribute:'"),
        ({"output": "x", "to": "cvat", "objects": "tracks"}, "objects: expected one of .* found 'tracks'"),
    ],
)
def test_a_conversion_that_cannot_be_is_refused(values: dict[str, str], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        ConvertConfig(source=Path("out"), **values)  # type: ignore[arg-type]


def test_a_check_needs_nothing_to_write() -> None:
    assert ConvertConfig(source=Path("out"), check=True).output == ""
