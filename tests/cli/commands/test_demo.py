"""`vsodtool demo`: what its flags become, and its table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.cli.reports import COMMON, COMMON_VALUES
from vsodtool.config import CommonConfig, DemoConfig

Cli = Callable[..., tuple[int, str, str]]


def test_every_flag(cli: Cli, configs: list[CommonConfig]) -> None:
    assert cli("demo", "-o", "out", *COMMON)[0] == 0
    assert configs == [DemoConfig(output=Path("out"), **COMMON_VALUES)]  # type: ignore[arg-type]


def test_the_table_is_all_that_stdout_gets(cli: Cli, configs: list[CommonConfig]) -> None:
    _, out, _ = cli("demo")
    assert ["j", "0.900"] in [line.split() for line in out.splitlines()]
    assert ["copy_f", "-"] in [line.split() for line in out.splitlines()]
