"""`vsodtool convert`."""

from __future__ import annotations

from vsodtool.cli.console import Reporter
from vsodtool.cli.options import Json, Quiet, command
from vsodtool.cli.output import print_report
from vsodtool.cli.text import Table
from vsodtool.config import ConvertConfig


@command(ConvertConfig, work="vsodtool.pipelines.convert")
def convert(config: ConvertConfig, *, json: Json = False, quiet: Quiet = False) -> None:
    """Labels back into an annotators' tool, or annotations into masks.

    Reads an OUT folder, or annotations of any known format, and writes them in another one: exactly, unless
    the format cannot hold every mask, which is said. Frames that were generated carry their confidence.
    """
    with Reporter(quiet=quiet) as reporter:
        from vsodtool.pipelines.convert import run_convert

        report = run_convert(config, on_event=reporter)
    table = Table(["written", "format", "frames", "objects", "masks", "lossless"])
    named = ", ".join(report.objects[:5]) + (", ..." if len(report.objects) > 5 else "")
    lossless = "-" if not report.output else "yes" if report.lossless else "no"
    counts = str(report.frames), named or "-", str(report.masks)
    table.add(report.output or "-", report.format or "-", *counts, lossless)
    print_report(report.as_dict(), table, as_json=json)
