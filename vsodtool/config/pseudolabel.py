"""The options of `vsodtool pseudolabel`."""

from __future__ import annotations

from pathlib import Path

from vsodtool.config.base import MotionConfig
from vsodtool.config.option import Panel, configuration, option
from vsodtool.errors import ConfigError

METHODS = ("auto", "fgplg", "warp")
FLOWS = ("auto", "composed", "direct")


@configuration
class PseudoLabelConfig(MotionConfig):
    """Options of `vsodtool pseudolabel`."""

    masks: Path = option(
        "Folder of masks: of one video, or with one sub-folder per video, or a DAVIS-style root.",
        panel=Panel.WHERE,
        metavar="MASKS",
    )
    method: str = option(
        "fgplg is learned, warp is not, auto is the better one for each video, by hidden labels.",
        default="auto",
        choices=METHODS,
    )
    weights: str = option(
        "Weights of fgplg: a name that `vsodtool weights list` shows, or a file.",
        default="",
        metavar="NAME|FILE",
    )
    adapt: int = option(
        "Fine-tune fgplg on each video's own masks for N steps, as 90; used where it is better.",
        default=0,
        zero="do not",
    )
    flow: str = option(
        "Of fgplg, to the labelled frames: composed along the frames between, or direct as in the paper; "
        "auto is composed.",
        default="auto",
        choices=FLOWS,
    )
    every: int = option(
        "Use only masks 0, N, 2N, ... and the last; the others are never read.", default=0, zero="all"
    )
    soft: bool = option("8-bit probabilities, OUT/soft.", default=False, panel=Panel.EXTRA)
    confidence: bool = option(
        "8-bit confidence of each pixel, OUT/confidence.", default=False, panel=Panel.EXTRA
    )
    overlay: bool = option("Masks over the video, OUT/overlay/<video>.mp4.", default=False, panel=Panel.EXTRA)

    def __post_init__(self) -> None:
        """Refuse for warp what it does not use, too."""
        super().__post_init__()
        if self.weights and self.method == "warp":
            raise ConfigError(
                f"weights: '{self.weights}' given, but method 'warp' uses no weights",
                "leave out --weights, or choose --method fgplg",
            )
        if self.adapt and self.method == "warp":
            raise ConfigError(
                f"adapt: {self.adapt} given, but method 'warp' has nothing to learn",
                "leave out --adapt, or choose --method fgplg or auto",
            )
        if self.flow != "auto" and candidate_methods(self) == ("warp",):
            raise ConfigError(
                f"flow: '{self.flow}' given, but method 'warp' has only its own way to use flow",
                "leave out --flow, or choose --method fgplg with --weights",
            )


def candidate_methods(config: PseudoLabelConfig) -> tuple[str, ...]:
    """The methods that a run may use, the default first."""
    if config.method == "auto":
        return ("fgplg", "warp")
    return (config.method,)


def resolve_flow(config: PseudoLabelConfig) -> str:
    """The flow to the labelled frames that a run uses: auto is "composed"."""
    return "composed" if config.flow == "auto" else config.flow
