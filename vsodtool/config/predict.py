"""The options of `vsodtool predict`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vsodtool.config.schema import ShardedConfig
from vsodtool.errors import ConfigError

PRECISIONS = ("auto", "fp32", "bf16", "fp16")
SMOOTHS = ("auto", "on", "off")
SIZE_STEP = 16
SMALLEST_SIZE = 64


@dataclass(frozen=True, kw_only=True)
class PredictConfig(ShardedConfig):
    """Options of `vsodtool predict`.

    Attributes:
        inputs: video files, folders of frames, or "-".
        output: folder that receives soft/, frames.csv, manifest.json and what the switches below ask for.
        weights: name or file of the network's weights, "" for the default.
        clip_length: frames that the network sees together, T in the paper; at least 1.
        stride: frames from the start of a clip to that of the next, at most `clip_length`; 0 = `clip_length`,
            every frame in one clip. Where clips overlap, their probabilities are averaged.
        size: side of the square that the network sees; 0 = what the weights were trained with.
        smooth: on: steady each map by those around it, brought there by optical flow; off: as the network
            says it, and the paper; auto: on for networks that see motion, as vsodtool's own.
        mirror: see each frame mirrored left and right too, and take the mean; twice the cost.
        precision: auto, fp32, bf16 or fp16.
        compile: let torch.compile make the network faster.
        batch: clips that the network is given at once; 0 = 1 on a CPU, more on a GPU.
        masks: also write masks, 255 where the probability is at least one half.
        overlay: also write a video of these masks over the frames.
    """

    inputs: tuple[str, ...]
    output: Path
    weights: str = ""
    clip_length: int = 4
    stride: int = 0
    size: int = 0
    smooth: str = "auto"
    mirror: bool = False
    precision: str = "auto"
    compile: bool = False
    batch: int = 0
    masks: bool = False
    overlay: bool = False

    def __post_init__(self) -> None:
        """Refuse bad values, and strides that would leave frames out."""
        super().__post_init__()
        for name, choices in (("precision", PRECISIONS), ("smooth", SMOOTHS)):
            chosen = getattr(self, name)
            if chosen not in choices:
                raise ConfigError(f"{name}: expected one of {', '.join(choices)}, found '{chosen}'")
        for name, least in (("clip_length", 1), ("stride", 0), ("batch", 0)):
            value = getattr(self, name)
            if value < least:
                raise ConfigError(f"{name}: expected a whole number of at least {least}, found {value}")
        if self.stride > self.clip_length:
            raise ConfigError(
                f"stride: expected at most the clip length, {self.clip_length}, found {self.stride}",
                "the frames between two clips would be left out",
            )
        if self.size and (self.size < SMALLEST_SIZE or self.size % SIZE_STEP):
            raise ConfigError(
                f"size: expected a multiple of {SIZE_STEP} of at least {SMALLEST_SIZE}, "
                f"or 0 for the weights' own, found {self.size}"
            )
