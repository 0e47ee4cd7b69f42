"""The options of `vsodtool review`."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsodtool.config import ReviewConfig, options_of
from vsodtool.errors import ConfigError


def test_import_is_a_flag_although_it_is_a_word_of_python() -> None:
    assert options_of(ReviewConfig)["import_"].flags == ("--import",)


@pytest.mark.parametrize("port", [-1, 65536])
def test_ports_are_ports(port: int) -> None:
    with pytest.raises(ConfigError, match="port: expected a whole number"):
        ReviewConfig(source=Path("out"), port=port)


def test_a_page_is_written_or_served() -> None:
    ReviewConfig(source=Path("out"), html="page.html")
    for other in ({"port": 8000}, {"read_only": True}):
        with pytest.raises(ConfigError, match="found both"):
            ReviewConfig(source=Path("out"), html="page.html", **other)  # type: ignore[arg-type]
