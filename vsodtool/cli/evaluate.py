"""`vsodtool evaluate`."""

from __future__ import annotations

from typing import Annotated

import typer

from vsodtool.cli import options
from vsodtool.cli.console import Reporter
from vsodtool.cli.output import print_report, write_out
from vsodtool.cli.score_table import print_scores
from vsodtool.cli.score_text import latex_rows, markdown_table, score_rows
from vsodtool.cli.text import Table
from vsodtool.config import EvaluateConfig, load_config
from vsodtool.config.protocols import AVERAGES, F_MEASURES, MEASURES, NORMALIZATIONS, OBJECTS, PROTOCOLS
from vsodtool.errors import UsageError

_CHOICES = "Choices of the protocol, one by one"
_ALLOW = "Allow"


def evaluate(
    *,
    predictions: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PREDICTIONS... GROUND_TRUTH",
            show_default=False,
            help="Folders of maps: of one video, or with one sub-folder per video, DAVIS-style roots, "
            "or OUT folders of predict and pseudolabel. The last is the truth, or --ground-truth is.",
        ),
    ] = None,
    ground_truth: Annotated[
        str | None,
        options.option(
            "--ground-truth",
            help="The truth; then every folder before is a method.",
            panel=options.WHERE,
            metavar="GT",
        ),
    ] = None,
    config: options.Config = None,
    protocol: Annotated[
        str | None,
        options.choose(
            "--protocol",
            among=tuple(PROTOCOLS),
            help="Whose numbers to compare with; docs/evaluate.md says which.",
            default="davsod",
        ),
    ] = None,
    measures: Annotated[
        list[str] | None,
        options.option(
            "--measures",
            help=f"Some of {', '.join(MEASURES)}, with commas. Default: those of the protocol",
            panel=options.HOW,
            metavar="NAME",
        ),
    ] = None,
    every: Annotated[
        int | None,
        options.option(
            "--every",
            help="Frames 0, N, 2N, ... and the last of each video were given: leave them out. 0 = none.",
            panel=options.HOW,
            default=0,
            metavar="N",
        ),
    ] = None,
    skip_given: Annotated[
        bool | None,
        options.option(
            "--skip-given/--no-skip-given",
            help="Leave out the frames that OUT/frames.csv calls given.",
            panel=options.HOW,
        ),
    ] = None,
    normalize: Annotated[
        str | None,
        options.option(
            "--normalize",
            help=f"{'|'.join(NORMALIZATIONS)}. Stretch each prediction to [0, 1] first, or take it as it is.",
            panel=_CHOICES,
            metavar="NAME",
        ),
    ] = None,
    ends: Annotated[
        bool | None,
        options.option(
            "--keep-ends/--drop-ends",
            help="Score the first and last frame of each video, or do not.",
            panel=_CHOICES,
        ),
    ] = None,
    average: Annotated[
        str | None,
        options.option(
            "--average",
            help=f"{'|'.join(AVERAGES)}. Every video counts the same, or every frame.",
            panel=_CHOICES,
            metavar="NAME",
        ),
    ] = None,
    f_measure: Annotated[
        str | None,
        options.option(
            "--f-measure",
            help=f"{'|'.join(F_MEASURES)}. What max F and mean F are taken from.",
            panel=_CHOICES,
            metavar="NAME",
        ),
    ] = None,
    objects: Annotated[
        str | None,
        options.option(
            "--objects",
            help=f"{'|'.join(OBJECTS)}. J and boundary F of all objects as one, or of each.",
            panel=_CHOICES,
            metavar="NAME",
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        options.option(
            "--threshold",
            help="From here on a pixel is object, where a mask is needed.",
            panel=_CHOICES,
            default=0.5,
            metavar="P",
        ),
    ] = None,
    allow_missing: Annotated[
        bool | None,
        options.option(
            "--allow-missing/--no-allow-missing",
            help="A frame without a prediction gets the worst score, a video without any is left out.",
            panel=_ALLOW,
        ),
    ] = None,
    allow_extra: Annotated[
        bool | None,
        options.option(
            "--allow-extra/--no-allow-extra", help="Predictions without truth are ignored.", panel=_ALLOW
        ),
    ] = None,
    allow_resize: Annotated[
        bool | None,
        options.option(
            "--allow-resize/--no-allow-resize",
            help="Predictions of another size are resized to the truth, bilinear, and counted.",
            panel=_ALLOW,
        ),
    ] = None,
    csv: Annotated[
        str | None,
        options.option(
            "--csv",
            help="Scores of each frame; those of each video go to FILE-videos.csv beside it.",
            panel=options.EXTRA,
            metavar="FILE",
        ),
    ] = None,
    plots: Annotated[
        str | None,
        options.option(
            "--plots",
            help="PR and F curves, bars per video, the worst frames, as PNG (needs matplotlib).",
            panel=options.EXTRA,
            metavar="DIR",
        ),
    ] = None,
    name: Annotated[
        str | None,
        options.option("--name", help="Of the data set, for captions.", panel=options.EXTRA, metavar="TEXT"),
    ] = None,
    device: options.Device = None,
    workers: options.Workers = None,
    seed: options.Seed = None,
    overwrite: options.Overwrite = None,
    dry_run: options.DryRun = None,
    json: options.Json = False,
    markdown: Annotated[
        bool,
        typer.Option(
            "--markdown",
            help="Print the rows of the paper's Table 1 as Markdown instead.",
            rich_help_panel=options.RUN,
        ),
    ] = False,
    latex: Annotated[
        bool, typer.Option("--latex", help="The same as LaTeX.", rich_help_panel=options.RUN)
    ] = False,
    quiet: options.Quiet = False,
) -> None:
    """Scores of predictions against truth, under a named protocol.

    With several folders of predictions and --ground-truth: one table that compares them on the same frames.
    Missing and extra predictions and sizes that differ are refused, unless allowed.
    """
    if json + markdown + latex > 1:
        raise UsageError("--json, --markdown and --latex exclude each other", "choose one of them")
    settings = load_config(
        EvaluateConfig,
        config,
        {
            "predictions": tuple(predictions) if predictions else None,
            "ground_truth": ground_truth,
            "protocol": protocol,
            "measures": tuple(name for text in measures for name in text.split(",")) if measures else None,
            "every": every,
            "skip_given": skip_given,
            "normalize": normalize,
            "ends": None if ends is None else "keep" if ends else "drop",
            "average": average,
            "f_measure": f_measure,
            "objects": objects,
            "threshold": threshold,
            "allow_missing": allow_missing,
            "allow_extra": allow_extra,
            "allow_resize": allow_resize,
            "csv": csv,
            "plots": plots,
            "name": name,
            "device": device,
            "workers": workers,
            "seed": seed,
            "overwrite": overwrite,
            "dry_run": dry_run,
        },
    )
    with Reporter(quiet=quiet) as reporter:
        from vsodtool.pipelines.evaluate import run_evaluate

        report = run_evaluate(settings, processes=True, on_event=reporter)
    if json:
        print_report(report.as_dict(), Table([]), as_json=True)
    elif markdown:
        write_out(markdown_table(report))
    elif latex:
        write_out(latex_rows(report))
    else:
        print_scores(*score_rows(report))
