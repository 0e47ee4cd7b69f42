"""The commands together: help, usage errors, and that flags and options are the same."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields

import pytest

from vsodtool.cli.commands.demo import demo
from vsodtool.cli.commands.evaluate import evaluate
from vsodtool.cli.commands.flow import flow
from vsodtool.cli.commands.predict import predict
from vsodtool.cli.commands.pseudolabel import pseudolabel
from vsodtool.config import (
    CommonConfig,
    DemoConfig,
    EvaluateConfig,
    FlowConfig,
    PredictConfig,
    PseudoLabelConfig,
    options_of,
)

Cli = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("command", "schema"),
    [
        (flow, FlowConfig),
        (pseudolabel, PseudoLabelConfig),
        (predict, PredictConfig),
        (evaluate, EvaluateConfig),
        (demo, DemoConfig),
    ],
)
def test_flags_and_options_of_the_configuration_are_the_same(
    command: Callable[..., None], schema: type[CommonConfig]
) -> None:
    flags = set(inspect.signature(command).parameters) - {"config", "json", "quiet", "markdown", "latex"}
    former = {each.formerly for each in options_of(schema).values() if each.formerly}
    assert flags == {field.name for field in fields(schema)} | former


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("flow", "a", "-o", "o", "--step", "x"), "'--step'"),
        (("flow", "a", "-o", "o", "--stap", "1"), "No such option: --stap"),
        (("flow", "a", "-o"), "-o"),
        (("flow", "a"), "no output given"),
        (("flow", "-o", "o"), "no input given"),
        (("flow", "a", "-o", ""), "output: expected a path"),
        (("flow", "a", "-o", "o", "--step", "0"), "step: expected a whole number of at least 1, found 0"),
        (("flow", "a", "-o", "o", "--backend", "x"), "backend: expected one of auto"),
        (("pseudolabel", "a", "-o", "o"), "no masks given"),
        (
            ("pseudolabel", "a", "-o", "o", "--masks", "m", "--quality", "good"),
            "quality: expected one of fast",
        ),
        (("predict", "a"), "no output given"),
        (("predict", "-o", "o"), "no input given"),
        (("predict", "a", "-o", "o", "--clip-length", "0"), "clip_length: expected a whole number of at"),
        (("predict", "a", "-o", "o", "--stride", "5"), "stride: expected at most the clip length, 4"),
        (("predict", "a", "-o", "o", "--size", "100"), "size: expected a multiple of 16"),
        (("predict", "a", "-o", "o", "--precision", "int8"), "precision: expected one of auto"),
        (("learn",), "No such command 'learn'"),
        ((), "no command given"),
    ],
)
def test_usage_errors(
    cli: Cli, configs: list[CommonConfig], arguments: tuple[str, ...], message: str
) -> None:
    code, out, err = cli(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.startswith("error: ")
    assert len(err.splitlines()) <= 2
    assert configs == []


def test_help_names_every_flag_and_version_is_one_line(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    for name in ("flow", "pseudolabel", "predict", "evaluate", "demo"):
        code, out, _ = cli(name, "--help")
        assert code == 0
        assert cli(name, "-h") == (0, out, "")
        for flag in (
            "--device",
            "--config",
            "--json",
            "--quiet",
            "--dry-run",
            "--overwrite",
            "--workers",
            "--seed",
        ):
            assert flag in out
    code, out, err = cli("--version")
    assert (code, err) == (0, "")
    assert out.split()[0] == "vsodtool"
    assert len(out.splitlines()) == 1
