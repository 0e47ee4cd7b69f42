"""Where one shot of a video ends and the next begins."""

from __future__ import annotations

from typing import Any

from vsodtool.config.option import option

AUTO, NONE = "auto", "none"


def cuts_option() -> Any:
    """The option `--cuts` of the verbs that carry something from frame to frame."""
    return option(
        "Where shots begin; nothing is carried from one to another. auto finds them; none: each video is one "
        "shot; a file has a line 'VIDEO FRAME' for each.",
        default=AUTO,
        usual=(AUTO, NONE),
        metavar="auto|none|FILE",
    )
