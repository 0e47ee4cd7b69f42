"""The options of `vsodtool review`."""

from __future__ import annotations

from pathlib import Path

from vsodtool.config.base import CommonConfig
from vsodtool.config.option import Panel, configuration, option
from vsodtool.errors import ConfigError


@configuration
class ReviewConfig(CommonConfig):
    """Options of `vsodtool review`."""

    source: Path = option(
        "An OUT folder of pseudolabel or predict; or a video, to draw its first masks.",
        panel=Panel.WHERE,
        argument=True,
        metavar="OUT|VIDEO",
    )
    output: str = option(
        "Of a video: the folder for its masks, new or begun before.",
        default="",
        panel=Panel.WHERE,
        short="-o",
        metavar="DIR",
    )
    video: str = option("Only this video of OUT.", default="", panel=Panel.WHERE, metavar="NAME")
    html: str = option(
        "Write the page with its data inside to this file, to look at and pass on, instead of serving it.",
        default="",
        panel=Panel.WHERE,
        metavar="FILE",
    )
    import_: str = option(
        "First take over the flags that somebody saved from such a file.",
        default="",
        panel=Panel.WHERE,
        metavar="FILE",
    )
    port: int = option(
        "Of the server, which listens on 127.0.0.1 only; from elsewhere: ssh -L PORT:127.0.0.1:PORT.",
        default=0,
        zero="any that is free",
        most=65535,
    )
    browser: bool = option("Open the page in a browser, if there is a display.", default=True)
    read_only: bool = option("Refuse every change.", default=False)

    def __post_init__(self) -> None:
        """Refuse a page that is written and served at once."""
        super().__post_init__()
        if self.html and (self.port or self.read_only):
            raise ConfigError(
                "html: expected the page as a file or served, found both", "leave --port and --read-only away"
            )
