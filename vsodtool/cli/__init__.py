"""The command line. Parses, calls one pipeline function, prints; nothing below this package prints or exits.

Nothing heavy is imported before a command needs it, so that `--help` and usage errors answer at once.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def _open_closed_streams() -> None:
    """Give `>&-` and its like somewhere to go; else the next file that is opened would be written to."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            while (descriptor := os.open(os.devnull, os.O_RDWR)) < number:
                pass
            os.dup2(descriptor, number)
            setattr(sys, name, open(number, mode, encoding="utf-8"))  # noqa: SIM115, PTH123


def main() -> NoReturn:
    """Run the command line of this process and exit with its code."""
    _open_closed_streams()
    from vsodtool.cli.app import app
    from vsodtool.cli.failure import exit_code_of
    from vsodtool.cli.ranks import be_silent_beside_rank_0, leave_together

    be_silent_beside_rank_0()
    sys.exit(leave_together(exit_code_of(lambda: app(prog_name="vsodtool", standalone_mode=False))))
