"""The commands of `vsodtool`, one file each, put together."""

from __future__ import annotations

from typing import Annotated

import typer

from vsodtool import __version__
from vsodtool.cli.commands.convert import convert
from vsodtool.cli.commands.demo import demo
from vsodtool.cli.commands.evaluate import evaluate
from vsodtool.cli.commands.flow import flow
from vsodtool.cli.commands.predict import predict
from vsodtool.cli.commands.pseudolabel import pseudolabel
from vsodtool.cli.commands.review import review
from vsodtool.cli.commands.suggest import suggest
from vsodtool.cli.commands.train import train
from vsodtool.cli.commands.weights import weights
from vsodtool.cli.output import write_out
from vsodtool.cli.text import help_of
from vsodtool.errors import UsageError

app = typer.Typer(
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},  # the commands inherit it
)
for _command in (flow, pseudolabel, train, predict, evaluate, convert, review, suggest, demo):
    app.command(help=help_of(_command))(_command)
app.add_typer(weights)


def _show_version(wanted: bool) -> None:
    if wanted:
        write_out(f"vsodtool {__version__}\n")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _vsodtool(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """From sparse masks to dense labels, for video salient object detection.

    Results go to files, the final table to stdout, everything else to stderr.
    An interrupted run continues when the same command is run again.

    Exit codes: 0 done, 1 a bug, 2 usage or configuration, 3 data, 4 weights,
    5 device or resources, 130 interrupted.
    """
    del version
    if context.invoked_subcommand is None:
        raise UsageError("no command given", "`vsodtool --help` lists the commands")
