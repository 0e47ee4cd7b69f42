"""Configurations become commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from vsodtool.cli.options import Json, command
from vsodtool.config import CommonConfig, Panel
from vsodtool.config.option import configuration, option


@configuration
class ToyConfig(CommonConfig):
    """One option of each kind."""

    inputs: tuple[str, ...] = option("What is read.", argument=True, metavar="INPUT", panel=Panel.WHERE)
    output: Path = option("What is written.", default=Path("out"), short="-o", panel=Panel.WHERE)
    colour: str = option("Of the sky.", default="blue", choices=("blue", "grey"), formerly="color")
    names: tuple[str, ...] = option("Of clouds.", default=())
    parts: tuple[str, ...] = option("Of the day.", default=("noon",), choices=("noon", "night"))
    hours: tuple[int, ...] = option("Of rain.", default=(1, 2), least=0)
    height: float = option("In [km].", default=0.5, above=0)
    storms: int = option("Allowed.", default=0, zero="none")
    ends: str = option(
        "Dusk and dawn.", default="auto", choices=("auto", "keep", "drop"), switch=("keep", "drop")
    )
    wind: bool = option("Blows.", default=False)


Run = Callable[..., tuple[ToyConfig | None, str]]


@pytest.fixture
def run() -> Run:
    """Run the toy command: the configuration it was called with, and what was said."""

    def invoke(*arguments: str) -> tuple[ToyConfig | None, str]:
        seen: list[ToyConfig] = []

        @command(ToyConfig, work="vsodtool.config")
        def toy(
            config: ToyConfig, *, json: Json = False, loud: Annotated[bool, typer.Option("--loud")] = False
        ) -> None:
            """Play."""
            assert (json, loud) == ("--json" in arguments, "--loud" in arguments)
            seen.append(config)

        app = typer.Typer(rich_markup_mode="rich")
        app.command()(toy)
        done = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"})
        return (seen[0] if seen else None), done.output

    return invoke


def test_nothing_given_leaves_the_defaults(run: Run) -> None:
    assert run("a")[0] == ToyConfig(inputs=("a",))


def test_every_kind_of_option(run: Run) -> None:
    words = ["a", "b,c", "-o", "o", "--colour", "grey", "--names", "x,y", "--names", "z", "--hours", "3,4"]
    words += [
        "--parts",
        "noon,night",
        "--height",
        "2",
        "--storms",
        "7",
        "--drop-ends",
        "--wind",
        "--json",
        "--loud",
    ]
    assert run(*words)[0] == ToyConfig(
        inputs=("a", "b,c"),
        output=Path("o"),
        colour="grey",
        names=("x,y", "z"),  # a name may hold a comma
        parts=("noon", "night"),
        hours=(3, 4),
        height=2.0,
        storms=7,
        ends="drop",
        wind=True,
    )


def test_the_file_gives_way_to_flags(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("colour: grey\nwind: true\nhours: [5]\nends: keep\n")
    said = run("a", "--config", str(file), "--no-wind", "--hours", "6")[0]
    assert said == ToyConfig(inputs=("a",), colour="grey", wind=False, hours=(6,), ends="keep")


def test_an_older_name_is_understood_and_not_shown(run: Run, tmp_path: Path) -> None:
    assert run("a", "--color", "grey")[0] == ToyConfig(inputs=("a",), colour="grey")
    file = tmp_path / "c.yaml"
    file.write_text("color: grey\n")
    assert run("a", "--config", str(file))[0] == ToyConfig(inputs=("a",), colour="grey")
    assert "--color " not in run("--help")[1]


def test_the_help_says_what_is_declared(run: Run) -> None:
    text = " ".join(run("--help")[1].split())
    assert "blue|grey. Of the sky. Default: blue" in text
    assert "Allowed. 0 = none. Default: 0" in text
    assert "In [km]. Default: 0.5" in text
    assert "--wind --no-wind" in text
    assert text.index("Where") < text.index("How") < text.index("The run")


def test_numbers_that_are_none(run: Run) -> None:
    assert run("a", "--hours", "3,x")[0] is None
    assert run("a", "--storms", "few")[0] is None
