"""`vsodtool suggest`."""

from __future__ import annotations

from vsodtool.cli.console import Reporter
from vsodtool.cli.options import Json, Quiet, command
from vsodtool.cli.output import print_report, write_out
from vsodtool.cli.text import Table, printable
from vsodtool.config import SuggestConfig


@command(SuggestConfig, work="vsodtool.pipelines.suggest")
def suggest(config: SuggestConfig, *, json: Json = False, quiet: Quiet = False) -> None:
    """Which frames to label, and pictures of them to draw on.

    Frames are numbered and named as `pseudolabel --masks` matches them. They are spread evenly, a third of a
    gap from both ends, and over several videos by how much moves.
    """
    with Reporter(quiet=quiet) as reporter:
        from vsodtool.pipelines.suggest import run_suggest

        report = run_suggest(config, on_event=reporter)
    if config.names and not json:
        write_out("".join(f"{printable(f'{each.video}/{each.frame}')}\n" for each in report.suggestions))
        return
    table = Table(["#", "video", "frame", "seconds", "why"])
    for number, each in enumerate(report.suggestions, 1):
        seconds = "-" if each.time is None else f"{each.time:.2f}"
        table.add(number, each.video, each.frame, seconds, each.reason)
    print_report(report.as_dict(), table, as_json=json)
