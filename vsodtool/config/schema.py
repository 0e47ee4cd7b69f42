"""The options of each verb as frozen dataclasses. A field is a YAML key and a flag of the same name.

Values are checked when an object is made, so a configuration that exists is a valid one.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from vsodtool.errors import ConfigError, WeightsError

BACKENDS = ("auto", "dis", "raft-small", "raft-large")
QUALITIES = ("fast", "balanced", "best")
DIRECTIONS = ("forward", "backward", "both")
FLOW_FORMATS = ("flo", "png", "npz")
METHODS = ("auto", "fgplg", "warp")

_CHOICES = {
    "backend": BACKENDS,
    "quality": QUALITIES,
    "direction": DIRECTIONS,
    "format": FLOW_FORMATS,
    "method": METHODS,
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
class FlowConfig(CommonConfig):
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
class PseudoLabelConfig(CommonConfig):
    """Options of `vsodtool pseudolabel`.

    Attributes:
        inputs: video files, folders of frames, or "-".
        masks: folder of masks.
        output: folder that receives masks/, frames.csv, manifest.json and what the switches below ask for.
        method: auto, warp (no learned weights) or fgplg.
        weights: name or file of the weights of `fgplg`, "" for the default.
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
    quality: str = "balanced"
    backend: str = "auto"
    every: int = 0
    soft: bool = False
    confidence: bool = False
    overlay: bool = False

    def __post_init__(self) -> None:
        """Refuse bad values, and weights for a method that has none."""
        super().__post_init__()
        if self.weights and self.method == "warp":
            raise ConfigError(
                f"weights: '{self.weights}' given, but method 'warp' uses no weights",
                "leave out --weights, or choose --method fgplg",
            )


@dataclass(frozen=True, kw_only=True)
class DemoConfig(CommonConfig):
    """Options of `vsodtool demo`.

    Attributes:
        output: folder that receives the clip, the labels and the picture.
    """

    output: Path = Path("demo-out")


def resolve_method(config: PseudoLabelConfig) -> str:
    """The method that a run uses: "warp".

    Raises:
        WeightsError: `fgplg` is asked for (by name or through `weights`), for which no weights exist yet.
    """
    if config.method == "fgplg" or config.weights:
        raise WeightsError(
            "method 'fgplg' needs weights, and no fgplg weights are bundled yet",
            "use --method warp, which needs none",
        )
    return "warp"
