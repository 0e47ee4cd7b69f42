"""`vsodtool predict`: what its flags become, and its table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.cli.reports import COMMON, COMMON_VALUES
from vsodtool.config import CommonConfig, PredictConfig

Cli = Callable[..., tuple[int, str, str]]


def test_every_flag(cli: Cli, configs: list[CommonConfig]) -> None:
    flags = ["--weights", "w", "--clip-length", "8", "--stride", "2", "--size", "96", "--precision", "fp32"]
    switches = ["--compile", "--batch", "3", "--masks", "--overlay", "--shard", "2/4"]
    code, _, _ = cli("predict", "a.mp4", "-", "-o", "out", *flags, *switches, *COMMON)
    assert code == 0
    assert configs == [
        PredictConfig(
            inputs=("a.mp4", "-"),
            output=Path("out"),
            weights="w",
            clip_length=8,
            stride=2,
            size=96,
            precision="fp32",
            compile=True,
            batch=3,
            masks=True,
            overlay=True,
            shard="2/4",
            **COMMON_VALUES,  # type: ignore[arg-type]
        )
    ]


def test_the_table_is_all_that_stdout_gets(cli: Cli, configs: list[CommonConfig]) -> None:
    _, out, _ = cli("predict", "a", "-o", "o")
    assert [line.split() for line in out.splitlines()] == [
        ["video", "frames", "generated", "skipped", "confidence", "seconds"],
        ["a", "5", "4", "1", "0.750", "1.2"],
    ]  # what was skipped is a column where something was
