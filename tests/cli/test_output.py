"""What goes to stdout, and what is said after it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.cli.reports import FLOW_REPORT
from vsodtool.config import CommonConfig

Cli = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    "arguments",
    [
        ("flow", "a", "-o", "o"),
        ("pseudolabel", "a", "-o", "o", "--masks", "m"),
        ("predict", "a", "-o", "o"),
        ("demo",),
    ],
)
def test_json_is_exactly_one_object(
    cli: Cli, configs: list[CommonConfig], arguments: tuple[str, ...]
) -> None:
    code, out, err = cli(*arguments, "--json", "--quiet")
    assert (code, err) == (0, "")
    assert isinstance(json.loads(out), dict)


def test_losses_are_told_after_the_table(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    report = replace(FLOW_REPORT, losses=["a: frame 3: does not decode", "a: frame 4: does not decode"])
    monkeypatch.setattr("vsodtool.pipelines.flow.run_flow", lambda *_, **__: report)
    code, out, err = cli("flow", "a", "-o", "o")
    assert code == 3
    assert out.startswith("video")
    assert "error: not everything could be read: a: frame 3: does not decode (and 1 more)\n" in err
    assert "hint: what could be read is done and lies in o" in err
