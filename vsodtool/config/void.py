"""Which id of masks is void: pixels that are no object and that nobody is judged by."""

from __future__ import annotations

from typing import Any

from vsodtool.checks import whole_number
from vsodtool.config.option import option
from vsodtool.errors import ConfigError

AUTO, NONE = "auto", "none"
MOST = 65535


def void_option() -> Any:
    """The option `--void` of the verbs that read masks."""
    return option(
        "The id of masks that is no object; auto is 255 of palettes and of thin borders, none is none.",
        default=AUTO,
        usual=(AUTO, NONE),
        metavar="auto|none|ID",
    )


def check_void(void: str) -> None:
    """Refuse what is neither a word nor an id.

    Raises:
        ConfigError: saying what was expected.
    """
    if void not in (AUTO, NONE) and not 1 <= (whole_number(void) or 0) <= MOST:
        raise ConfigError(f"void: expected auto, none or an id from 1 to {MOST}, found '{void}'")
