"""The options of `vsodtool suggest`."""

from __future__ import annotations

from vsodtool.config.base import CommonConfig
from vsodtool.config.cuts import cuts_option
from vsodtool.config.option import Panel, configuration, option
from vsodtool.errors import ConfigError

# Of what `convert` writes, where drafts can be drawn on.
DRAFTS = ("masks", "labelme", "x-anylabeling", "cvat", "label-studio")

RULES = ("spread", "error")


@configuration
class SuggestConfig(CommonConfig):
    """Options of `vsodtool suggest`."""

    inputs: tuple[str, ...] = option(
        "An OUT folder of pseudolabel or predict; or videos that nobody labelled yet, or folders of frames; "
        "- reads names from stdin.",
        panel=Panel.WHERE,
        argument=True,
        metavar="OUT|INPUT",
    )
    number: int = option("How many frames, over all videos.", default=5, least=1, short="-n")
    by: str = option(
        "Of OUT, spread: where labels are farthest away; error: where a label is expected to take away most "
        "error, by labels that are hidden and made again, and by confidence.",
        default="spread",
        choices=RULES,
    )
    every: int = option(
        "Every N-th frame instead, from a third of N on.", default=0, zero="as many as -n says"
    )
    frames: str = option(
        "These frames instead, by number from 0 or by name: 12,80; of several videos video/12,video/80.",
        default="",
        metavar="LIST",
    )
    cuts: str = cuts_option()
    names: bool = option("Print video/frame only, one a line.", default=False)
    export: str = option(
        "Write the frames as PNG to DIR/images/<video>/<frame>.png, to draw on.",
        default="",
        panel=Panel.EXTRA,
        metavar="DIR",
    )
    to: str = option(
        "Of OUT, write its masks of these frames too, to be corrected: to a folder of that name in DIR; "
        "of labelme and x-anylabeling beside the pictures.",
        default="",
        choices=("", *DRAFTS),
        panel=Panel.EXTRA,
    )

    def __post_init__(self) -> None:
        """Refuse also no input, and two ways to choose frames at once."""
        super().__post_init__()
        if not self.inputs:
            raise ConfigError("no input given", "name an OUT folder, a video, or a folder of frames")
        if self.every and self.frames:
            raise ConfigError("expected --every or --frames, found both", "leave one of them out")
        if self.to and not self.export:
            raise ConfigError(f"to: '{self.to}' given, but no folder to write to", "name one with --export")

    @property
    def listed(self) -> list[str]:
        """The frames that `frames` names."""
        return [word.strip() for word in self.frames.split(",") if word.strip()]
