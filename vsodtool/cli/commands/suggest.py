"""`vsodtool suggest`."""

from __future__ import annotations

from pathlib import Path

from vsodtool.cli.console import Reporter
from vsodtool.cli.options import Json, Quiet, command
from vsodtool.cli.output import print_report, refuse_losses, write_out
from vsodtool.cli.text import Table, printable
from vsodtool.config import SuggestConfig


@command(SuggestConfig, work="vsodtool.pipelines.suggest")
def suggest(config: SuggestConfig, *, json: Json = False, quiet: Quiet = False) -> None:
    """Which frames to label next, or first, and pictures of them to draw on.

    Of an OUT folder: where labels are farthest away over all its videos, or with --by error where a label is
    expected to take away most error, measured on labels that are hidden and made again. Of videos that nobody
    labelled: spread evenly, a third of a gap from both ends, more where more moves. Frames have the numbers
    and names that `pseudolabel --masks` matches.
    """
    with Reporter(quiet=quiet) as reporter:
        from vsodtool.pipelines.suggest import run_suggest

        report = run_suggest(config, on_event=reporter)
    if config.names and not json:
        write_out("".join(f"{printable(f'{each.video}/{each.frame}')}\n" for each in report.suggestions))
        refuse_losses(report.losses, Path(config.export))
        return
    made = any(each.confidence is not None for each in report.suggestions)
    gains = ["gain"] if any(each.gain is not None for each in report.suggestions) else []
    columns = ["between", "confidence", *gains] if made else ["seconds"]
    table = Table(["#", "video", "frame", *columns, "why"])
    for number, each in enumerate(report.suggestions, 1):
        where: tuple[str, ...] = ("-" if each.time is None else f"{each.time:.2f}",)
        if made:
            between = f"{each.left} … {each.right}".strip() if each.left or each.right else "-"
            gain = "-" if each.gain is None else f"{each.gain:.2f}"
            where = between, f"{each.confidence:.3f}", *([gain] if gains else [])
        why = ", ".join(filter(None, (each.reason, each.object))) or "-"
        table.add(number, each.video, each.frame, *where, why)
    print_report(report.as_dict(), table, as_json=json)
    refuse_losses(report.losses, Path(config.export))
