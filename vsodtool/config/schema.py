"""The options of each verb as frozen dataclasses. A field is a YAML key and a flag of the same name.

Values are checked when an object is made, so a configuration that exists is a valid one.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from vsodtool.config.shard import Shard
from vsodtool.errors import ConfigError

BACKENDS = ("auto", "dis", "raft-small", "raft-large")
QUALITIES = ("fast", "balanced", "best")
DIRECTIONS = ("forward", "backward", "both")
FLOW_FORMATS = ("flo", "png", "npz")
METHODS = ("auto", "fgplg", "warp")
FLOWS = ("auto", "composed", "direct")

_CHOICES = {
    "backend": BACKENDS,
    "quality": QUALITIES,
    "direction": DIRECTIONS,
    "format": FLOW_FORMATS,
    "method": METHODS,
    "flow": FLOWS,
}
_AT_LEAST = {"workers": 0, "seed": 0, "step": 1, "every": 0}


@dataclass(frozen=True, kw_only=True)
class CommonConfig:
    """Options that every verb has.

    Attributes:
        device: auto, cpu, cuda, cuda:N or mps.
        overwrite: replace what an earlier run with other options left in the output.
        dry_run: say what would be done and do nothing.
        workers: threads to use; 0 = all cores.
        seed: of everything random.
    """

    device: str = "auto"
    overwrite: bool = False
    dry_run: bool = False
    workers: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse values outside their choices or ranges.

        Raises:
            ConfigError: naming the option, what was expected and what was found.
        """
        for field in fields(self):
            value = getattr(self, field.name)
            choices = _CHOICES.get(field.name)
            if choices is not None and value not in choices:
                raise ConfigError(f"{field.name}: expected one of {', '.join(choices)}, found '{value}'")
            least = _AT_LEAST.get(field.name)
            if least is not None and value < least:
                raise ConfigError(f"{field.name}: expected a whole number of at least {least}, found {value}")
        if "inputs" in {field.name for field in fields(self)} and not getattr(self, "inputs", ()):
            raise ConfigError(
                "no input given", "name a video, a folder of frames, or - to read names from stdin"
            )


@dataclass(frozen=True, kw_only=True)
class ShardedConfig(CommonConfig):
    """Options of the verbs whose videos several processes may share.

    Attributes:
        inputs: what stands for the videos.
        shard: "I/N" works on the I-th (from 1) of N parts of the videos; "" on all of them.
    """

    inputs: tuple[str, ...]
    shard: str = ""

    def __post_init__(self) -> None:
        """Refuse a shard that does not exist."""
        super().__post_init__()
        if self.shard:
            Shard.parse(self.shard)


@dataclass(frozen=True, kw_only=True)
class FlowConfig(ShardedConfig):
    """Options of `vsodtool flow`.

    Attributes:
        inputs: video files, folders of frames, or "-".
        output: folder that receives flow/ and preview/.
        backend: auto, dis, raft-small or raft-large.
        direction: forward (frame to a later one), backward, or both.
        step: distance in frames between the two images of a pair, at least 1.
        format: flo (Middlebury), png (KITTI, 16 bit) or npz.
        preview: also write a colour picture of each flow.
        quality: fast, balanced or best.
    """

    inputs: tuple[str, ...]
    output: Path
    backend: str = "auto"
    direction: str = "forward"
    step: int = 1
    format: str = "flo"
    preview: bool = False
    quality: str = "balanced"


@dataclass(frozen=True, kw_only=True)
class PseudoLabelConfig(ShardedConfig):
    """Options of `vsodtool pseudolabel`.

    Attributes:
        inputs: video files, folders of frames, or "-".
        masks: folder of masks.
        output: folder that receives masks/, frames.csv, manifest.json and what the switches below ask for.
        method: fgplg (learned), warp (no learned weights) or auto (the better of both for each video, tried
            on labels that it hides).
        weights: name or file of the weights of `fgplg`, "" for the default: vsodtool's own densifier.
        adapt: fine-tune that on the labels of each video for so many steps, and use what comes out where it
            is better on labels that were hidden from it; 0 does not.
        flow: of fgplg, to the labelled frames: composed along the frames between, or direct as in the paper;
            auto is composed.
        quality: fast, balanced or best.
        backend: auto, dis, raft-small or raft-large.
        every: use only masks 0, N, 2N, ... and the last; 0 uses all.
        soft: also write probabilities.
        confidence: also write confidence maps.
        overlay: also write a video of the masks over the frames.
    """

    inputs: tuple[str, ...]
    masks: Path
    output: Path
    method: str = "auto"
    weights: str = ""
    flow: str = "auto"
    quality: str = "balanced"
    backend: str = "auto"
    adapt: int = 0
    every: int = 0
    soft: bool = False
    confidence: bool = False
    overlay: bool = False

    def __post_init__(self) -> None:
        """Refuse bad values, and for warp what it does not use."""
        super().__post_init__()
        if self.weights and self.method == "warp":
            raise ConfigError(
                f"weights: '{self.weights}' given, but method 'warp' uses no weights",
                "leave out --weights, or choose --method fgplg",
            )
        if self.adapt < 0:
            raise ConfigError(f"adapt: expected a number of steps, at least 0, found {self.adapt}")
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


@dataclass(frozen=True, kw_only=True)
class DemoConfig(CommonConfig):
    """Options of `vsodtool demo`.

    Attributes:
        output: folder that receives the clip, the labels and the picture.
    """

    output: Path = Path("demo-out")


def candidate_methods(config: PseudoLabelConfig) -> tuple[str, ...]:
    """The methods that a run may use, the default first."""
    if config.method == "auto":
        return ("fgplg", "warp")
    return (config.method,)


def resolve_flow(config: PseudoLabelConfig) -> str:
    """The flow to the labelled frames that a run uses: auto is "composed"."""
    return "composed" if config.flow == "auto" else config.flow
