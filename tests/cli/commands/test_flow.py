"""`vsodtool flow`: what its flags become, and its table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.cli.reports import COMMON, COMMON_VALUES
from vsodtool.config import CommonConfig, FlowConfig

Cli = Callable[..., tuple[int, str, str]]


def test_every_flag(cli: Cli, configs: list[CommonConfig]) -> None:
    flags = ["--backend", "dis", "--quality", "best", "--direction", "both", "--step", "2"]
    code, _, _ = cli("flow", "a.mp4", "b c", "-o", "out", *flags, "--format", "png", "--preview", *COMMON)
    assert code == 0
    assert configs == [
        FlowConfig(
            inputs=("a.mp4", "b c"),
            output=Path("out"),
            backend="dis",
            quality="best",
            direction="both",
            step=2,
            format="png",
            preview=True,
            **COMMON_VALUES,  # type: ignore[arg-type]
        )
    ]


def test_flags_that_are_not_given_leave_the_defaults_and_the_file(
    cli: Cli, configs: list[CommonConfig], tmp_path: Path
) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("inputs: [a]\noutput: o\npreview: true\nstep: 3\nworkers: 5\noverwrite: true\n")
    defaults = FlowConfig(inputs=("a",), output=Path("o"))
    assert cli("flow", "a", "-o", "o")[0] == 0
    assert configs.pop() == defaults
    assert cli("flow", "--config", file)[0] == 0
    from_file = replace(defaults, preview=True, step=3, workers=5, overwrite=True)
    assert configs.pop() == from_file
    assert cli("flow", "b", "--config", file, "--no-preview", "--step", 1, "--no-overwrite")[0] == 0
    assert configs.pop() == replace(from_file, inputs=("b",), preview=False, step=1, overwrite=False)


def test_the_table_is_all_that_stdout_gets(cli: Cli, configs: list[CommonConfig]) -> None:
    code, out, err = cli("flow", "a", "-o", "o")
    assert (code, err) == (0, "at work\n")
    assert (
        out
        == "video  frames  flows  reused  missing  seconds\na           5      4       0        0      1.2\n"
    )
