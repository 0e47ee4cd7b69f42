"""`vsodtool demo`."""

from __future__ import annotations

from dataclasses import asdict

from vsodtool.cli import options
from vsodtool.cli.console import Reporter
from vsodtool.cli.output import print_report
from vsodtool.cli.text import Table
from vsodtool.config import DemoConfig, load_config


def demo(
    *,
    output: options.Output = None,
    config: options.Config = None,
    device: options.Device = None,
    workers: options.Workers = None,
    seed: options.Seed = None,
    overwrite: options.Overwrite = None,
    dry_run: options.DryRun = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """A generated clip with known truth through the whole chain, with its score and a picture.

    Nothing is downloaded. Writes to the folder demo-out unless -o names another: the clip, its labels, and
    picture.png.
    """
    settings = load_config(
        DemoConfig,
        config,
        {
            "output": output,
            "device": device,
            "workers": workers,
            "seed": seed,
            "overwrite": overwrite,
            "dry_run": dry_run,
        },
    )
    with Reporter(quiet=quiet) as reporter:
        from vsodtool.pipelines.demo import run_demo

        report = run_demo(settings, on_event=reporter)
    table = Table(["what", "value"])
    for name, value in asdict(report).items():
        table.add(name, f"{value:.3f}" if isinstance(value, float) else "-" if value is None else str(value))
    print_report(asdict(report), table, as_json=json)
