"""The options of `vsodtool predict`."""

from __future__ import annotations

from vsodtool.config.base import ShardedConfig
from vsodtool.config.cuts import cuts_option
from vsodtool.config.option import Panel, configuration, option
from vsodtool.errors import ConfigError

PRECISIONS = ("auto", "fp32", "bf16", "fp16")
SMOOTHS = ("auto", "on", "off")
SIZE_STEP = 16
SMALLEST_SIZE = 64


@configuration
class PredictConfig(ShardedConfig):
    """Options of `vsodtool predict`."""

    weights: str = option(
        "Of the network: a name that `vsodtool weights list` shows, or a file.",
        default="",
        metavar="NAME|FILE",
    )
    clip_length: int = option("Frames that the network sees together.", default=4, least=1, metavar="T")
    stride: int = option(
        "Frames from clip to clip; below T the clips overlap and are averaged.", default=0, zero="T"
    )
    size: int = option(
        "Side of the square that the network sees, a multiple of 16.",
        default=0,
        zero="the weights' own",
        least=SMALLEST_SIZE,
        multiple_of=SIZE_STEP,
        metavar="S",
    )
    smooth: str = option(
        "Steady each map by those around it; auto is on for networks that see motion.",
        default="auto",
        choices=SMOOTHS,
    )
    cuts: str = cuts_option()
    mirror: bool = option(
        "See each frame mirrored too and take the mean: better, at twice the cost.", default=False
    )
    precision: str = option(
        "auto is bf16 where the hardware has it and the maps stay the same; fp32 is exact.",
        default="auto",
        choices=PRECISIONS,
    )
    compile: bool = option("torch.compile: minutes at first, faster then.", default=False)
    batch: int = option("Clips at once.", default=0, zero="1 on a CPU, more on a GPU")
    masks: bool = option("255 where the probability is >= 0.5, OUT/masks.", default=False, panel=Panel.EXTRA)
    overlay: bool = option(
        "These masks over the video, OUT/overlay/<video>.mp4.", default=False, panel=Panel.EXTRA
    )

    def __post_init__(self) -> None:
        """Refuse strides that would leave frames out, too."""
        super().__post_init__()
        if self.stride > self.clip_length:
            raise ConfigError(
                f"stride: expected at most the clip length, {self.clip_length}, found {self.stride}",
                "the frames between two clips would be left out",
            )
