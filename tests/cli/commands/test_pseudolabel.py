"""`vsodtool pseudolabel`: what its flags become, and its table."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.reports import COMMON, COMMON_VALUES, LabelReport, LabelVideoReport
from vsodtool.config import CommonConfig, PseudoLabelConfig

Cli = Callable[..., tuple[int, str, str]]


def test_every_flag(cli: Cli, configs: list[CommonConfig]) -> None:
    flags = [
        "--masks",
        "m",
        "--method",
        "fgplg",
        "--weights",
        "w",
        "--label-flow",
        "direct",
        "--quality",
        "fast",
        "--backend",
        "raft-small",
    ]
    switches = ["--every", "5", "--soft", "--confidence", "--overlay"]
    code, _, _ = cli("pseudolabel", "-", "-o", "out", *flags, *switches, *COMMON)
    assert code == 0
    assert configs == [
        PseudoLabelConfig(
            inputs=("-",),
            masks=Path("m"),
            output=Path("out"),
            method="fgplg",
            weights="w",
            label_flow="direct",
            quality="fast",
            backend="raft-small",
            every=5,
            soft=True,
            confidence=True,
            overlay=True,
            **COMMON_VALUES,  # type: ignore[arg-type]
        )
    ]


def test_the_table_is_all_that_stdout_gets(cli: Cli, configs: list[CommonConfig]) -> None:
    _, out, _ = cli("pseudolabel", "a", "-o", "o", "--masks", "m")
    assert [line.split() for line in out.splitlines()] == [
        ["video", "frames", "given", "generated", "confidence", "seconds"],
        ["a", "5", "2", "3", "0.750", "1.2"],
    ]
    assert all(len(line) <= 80 for line in out.splitlines())


def test_auto_tells_what_it_chose(
    cli: Cli, configs: list[CommonConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = [
        LabelVideoReport(hidden_j={"warp": 0.8124, "fgplg": 0.5}),
        LabelVideoReport("b", method="fgplg"),
        LabelVideoReport("c", method=""),
    ]
    report = LabelReport(chosen, [], method="auto")
    pipeline = sys.modules["vsodtool.pipelines.pseudolabel"]
    monkeypatch.setattr(pipeline, "run_pseudolabel", lambda config, *, on_event: report)
    code, out, _ = cli("pseudolabel", "a", "-o", "o", "--masks", "m")
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        [
            "video",
            "frames",
            "given",
            "generated",
            "confidence",
            "method",
            "hidden",
            "J",
            "seconds",
        ],
        ["a", "5", "2", "3", "0.750", "warp", "0.812", "1.2"],
        ["b", "5", "2", "3", "0.750", "fgplg", "-", "1.2"],
        ["c", "5", "2", "3", "0.750", "-", "-", "1.2"],
    ]
    assert all(len(line) <= 80 for line in out.splitlines())


def test_what_was_skipped_has_a_column_where_something_was(
    cli: Cli, configs: list[CommonConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    report = LabelReport([LabelVideoReport(), LabelVideoReport("b", generated=2, skipped=1)], [])
    pipeline = sys.modules["vsodtool.pipelines.pseudolabel"]
    monkeypatch.setattr(pipeline, "run_pseudolabel", lambda config, *, on_event: report)
    code, out, _ = cli("pseudolabel", "a", "-o", "o", "--masks", "m")
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        ["video", "frames", "given", "generated", "skipped", "confidence", "seconds"],
        ["a", "5", "2", "3", "0", "0.750", "1.2"],
        ["b", "5", "2", "2", "1", "0.750", "1.2"],
    ]
