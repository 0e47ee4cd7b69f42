"""The options of `vsodtool suggest`."""

from __future__ import annotations

from vsodtool.config.base import CommonConfig
from vsodtool.config.option import Panel, configuration, option
from vsodtool.errors import ConfigError


@configuration
class SuggestConfig(CommonConfig):
    """Options of `vsodtool suggest`."""

    inputs: tuple[str, ...] = option(
        "Videos that nobody labelled yet, or folders of frames; - reads names from stdin.",
        panel=Panel.WHERE,
        argument=True,
        metavar="INPUT",
    )
    number: int = option("How many frames, over all videos.", default=5, least=1, short="-n")
    every: int = option(
        "Every N-th frame instead, from a third of N on.", default=0, zero="as many as -n says"
    )
    frames: str = option(
        "These frames instead, by number from 0 or by name: 12,80; of several videos video/12,video/80.",
        default="",
        metavar="LIST",
    )
    names: bool = option("Print video/frame only, one a line.", default=False)
    export: str = option(
        "Write the frames as PNG to DIR/images/<video>/<frame>.png, to draw on.",
        default="",
        panel=Panel.EXTRA,
        metavar="DIR",
    )

    def __post_init__(self) -> None:
        """Refuse also no input, and two ways to choose frames at once."""
        super().__post_init__()
        if not self.inputs:
            raise ConfigError("no input given", "name a video, or a folder of frames")
        if self.every and self.frames:
            raise ConfigError("expected --every or --frames, found both", "leave one of them out")

    @property
    def listed(self) -> list[str]:
        """The frames that `frames` names."""
        return [word.strip() for word in self.frames.split(",") if word.strip()]
