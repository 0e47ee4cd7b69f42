"""stdout: data only."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from vsodtool.cli.text import Table
from vsodtool.errors import DataError


def print_report(report: Mapping[str, object], table: Table, *, as_json: bool) -> None:
    """Write the final table, or the report as one JSON object, to stdout."""
    text = json.dumps(report, indent=2, default=str) + "\n" if as_json else str(table)
    write_out(text)


def write_out(text: str) -> None:
    """Write to stdout, now: what stands there has arrived before anything else is said."""
    sys.stdout.write(text)
    sys.stdout.flush()


def refuse_losses(losses: Sequence[str], output: Path) -> None:
    """After the table: say that not all of the input could be read.

    Raises:
        DataError: there are losses.
    """
    if losses:
        more = f" (and {len(losses) - 1} more)" if len(losses) > 1 else ""
        raise DataError(
            f"not everything could be read: {losses[0]}{more}",
            f"what could be read is done and lies in {output}; mend the input for the rest",
        )
