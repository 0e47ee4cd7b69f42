"""The command line. Parses, calls one pipeline function, prints; nothing below this package prints or exits.

Nothing heavy is imported before a command needs it, so that `--help` and usage errors answer at once.
"""

from __future__ import annotations

from vsodtool.cli import interrupt

TYPE_CHECKING = False  # as in `typing`, which takes its time: Ctrl-C has to be minded first
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> NoReturn:
    """Run the command line of this process and exit with its code."""
    interrupt.leave_at_once()
    import sys

    try:
        code = _run()
    except (ImportError, MemoryError) as error:
        code = _code_of(error)
    sys.exit(code)


def _run() -> int:
    from vsodtool.cli.streams import open_streams

    open_streams()
    from vsodtool.cli.failure import exit_code_of
    from vsodtool.cli.ranks import be_silent_beside_rank_0, leave_together

    be_silent_beside_rank_0()
    return leave_together(exit_code_of(_app))


def _app() -> object:
    from vsodtool.cli.app import app

    return app(prog_name="vsodtool", standalone_mode=False)


def _code_of(error: Exception) -> int:
    """Memory may not even suffice for what turns exceptions into text and codes."""
    from vsodtool.checks import is_out_of_memory
    from vsodtool.cli.streams import write_raw

    if not is_out_of_memory(error):
        raise error
    write_raw("error: out of memory\n")
    return 5
