"""The command line. Parses, calls one pipeline function, prints; nothing below this package prints or exits.

Nothing heavy is imported before a command needs it, so that `--help` and usage errors answer at once.
"""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line of this process and exit with its code."""
    from vsodtool.cli.app import app
    from vsodtool.cli.failure import exit_code_of
    from vsodtool.cli.ranks import be_silent_beside_rank_0, leave_together

    be_silent_beside_rank_0()
    sys.exit(leave_together(exit_code_of(lambda: app(prog_name="vsodtool", standalone_mode=False))))
