"""The options of `vsodtool demo`."""

from __future__ import annotations

from pathlib import Path

from vsodtool.config.base import CommonConfig
from vsodtool.config.option import Panel, configuration, option


@configuration
class DemoConfig(CommonConfig):
    """Options of `vsodtool demo`."""

    output: Path = option(
        "Folder for the clip, its labels and the picture.",
        default=Path("demo-out"),
        panel=Panel.WHERE,
        short="-o",
        metavar="OUT",
    )
