"""The final table of scores, in colour where a person reads it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from vsodtool.cli.output import write_out
from vsodtool.cli.score_text import Row, plain_table


def print_scores(header: Sequence[str], rows: Sequence[Row]) -> None:
    """Write the table to stdout: with rules and bold on a terminal, plain in a pipe."""
    if not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        write_out(plain_table(header, rows))
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    for place, name in enumerate(header):
        table.add_column(name, justify="right" if place else "left", no_wrap=True)
    total = False
    for row in rows:
        if row.is_total and not total and table.row_count:
            table.add_section()
        total = row.is_total
        cells = [Text(cell, "bold" if place in row.best else "") for place, cell in enumerate(row.cells)]
        table.add_row(Text(row.name), *cells)
    console = Console(file=sys.stdout)
    # A narrow terminal may wrap lines, but no digit is cut off.
    console.width = max(
        console.width, console.measure(table, options=console.options.update(width=1000)).maximum
    )
    console.print(table)
