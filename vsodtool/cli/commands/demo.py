"""`vsodtool demo`."""

from __future__ import annotations

from dataclasses import asdict

from vsodtool.cli.console import Reporter
from vsodtool.cli.next_step import tell_first_steps
from vsodtool.cli.options import Json, Quiet, command
from vsodtool.cli.output import print_report
from vsodtool.cli.text import Table
from vsodtool.config import DemoConfig


@command(DemoConfig, work="vsodtool.pipelines.demo")
def demo(config: DemoConfig, *, json: Json = False, quiet: Quiet = False) -> None:
    """A generated clip with known truth through the whole chain, with its score and a picture.

    Nothing is downloaded. Writes to the folder demo-out unless -o names another: the clip, its labels, and
    picture.png.
    """
    with Reporter(quiet=quiet) as reporter:
        from vsodtool.pipelines.demo import run_demo

        report = run_demo(config, on_event=reporter)
    table = Table(["what", "value"])
    for name, value in asdict(report).items():
        table.add(name, f"{value:.3f}" if isinstance(value, float) else "-" if value is None else str(value))
    print_report(asdict(report), table, as_json=json)
    if not quiet and not config.dry_run:
        tell_first_steps(report.output / "labels")
