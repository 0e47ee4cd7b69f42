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

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(header):
        table.add_column(name, justify="right" if place else "left", overflow="fold", no_wrap=place > 0)
    total = False
    for row in rows:
        if row.is_total and not total and table.row_count:
            table.add_section()
        total = row.is_total
        cells = [Text(cell, "bold" if place in row.best else "") for place, cell in enumerate(row.cells)]
        table.add_row(Text(row.name), *cells)
    Console(file=sys.stdout).print(table)
