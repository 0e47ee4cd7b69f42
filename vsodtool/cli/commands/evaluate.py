"""`vsodtool evaluate`."""

from __future__ import annotations

from typing import Annotated

import typer

from vsodtool.cli.console import Reporter
from vsodtool.cli.options import Json, Quiet, command
from vsodtool.cli.output import print_report, write_out
from vsodtool.cli.score_table import print_scores
from vsodtool.cli.score_text import latex_rows, markdown_table, score_rows
from vsodtool.cli.text import Table
from vsodtool.config import EvaluateConfig, Panel
from vsodtool.errors import DeviceError, UsageError


@command(EvaluateConfig, work="vsodtool.pipelines.evaluate")
def evaluate(
    config: EvaluateConfig,
    *,
    json: Json = False,
    markdown: Annotated[
        bool,
        typer.Option(
            "--markdown",
            help="Print the rows of the paper's Table 1 as Markdown instead.",
            rich_help_panel=Panel.RUN,
        ),
    ] = False,
    latex: Annotated[
        bool, typer.Option("--latex", help="The same as LaTeX.", rich_help_panel=Panel.RUN)
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Scores of predictions against truth, under a named protocol.

    With several folders of predictions and --ground-truth: one table that compares them on the same frames.
    Missing and extra predictions and sizes that differ are refused, unless allowed.
    """
    if json + markdown + latex > 1:
        raise UsageError("--json, --markdown and --latex exclude each other", "choose one of them")
    with Reporter(quiet=quiet) as reporter:
        from vsodtool.pipelines.evaluate import run_evaluate

        report = run_evaluate(config, processes=True, on_event=reporter)
    if json:
        print_report(report.as_dict(), Table([]), as_json=True)
    elif markdown:
        write_out(markdown_table(report))
    elif latex:
        write_out(latex_rows(report))
    else:
        print_scores(*score_rows(report))
    if report.failures:
        raise DeviceError(report.failures[0], "the scores are complete, that file is missing")
