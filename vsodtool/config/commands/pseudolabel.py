"""The options of `vsodtool pseudolabel`."""

from __future__ import annotations

from pathlib import PurePath

from vsodtool.config.annotations import AnnotationConfig
from vsodtool.config.base import MotionConfig
from vsodtool.config.cuts import cuts_option
from vsodtool.config.methods import METHOD_NAMES, METHODS, kinds_of_weights, takes_weights, uses_flow
from vsodtool.config.methods import candidate_methods as methods_of
from vsodtool.config.option import Panel, configuration, option
from vsodtool.config.void import check_void, void_option
from vsodtool.errors import ConfigError

LABEL_FLOWS = ("auto", "composed", "direct")
TRACKS = ("auto", "off")


@configuration
class PseudoLabelConfig(MotionConfig, AnnotationConfig):
    """Options of `vsodtool pseudolabel`."""

    masks: tuple[str, ...] = option(
        "Folder of masks: of one video, with one sub-folder per video, or a DAVIS-style root. "
        "Or annotations (file, folder or zip) of CVAT, COCO, LabelMe, X-AnyLabeling, Label Studio, "
        "YouTube-VIS, YOLO or Supervisely. May be given several times: later ones win, frame by frame.",
        panel=Panel.WHERE,
        metavar="MASKS",
        urls=True,
    )
    method: str = option(
        "; ".join(f"{name}: {line.summary}" for name, line in METHODS.items())
        + "; auto: for each video the one that does better on labels hidden from it.",
        default="auto",
        choices=METHOD_NAMES,
    )
    weights: str = option(
        "Weights of fgplg: a name that `vsodtool weights list` shows, or a file. "
        "Of sam2: a name of its hub, as facebook/sam2.1-hiera-tiny, or a folder.",
        default="",
        metavar="NAME|FILE",
    )
    adapt: int = option(
        "Fine-tune fgplg on each video's own masks for N steps, as 90; used where it is better.",
        default=0,
        zero="do not",
    )
    label_flow: str = option(
        "Of fgplg, to the labelled frames: composed along the frames between, or direct as in the paper; "
        "auto is composed.",
        default="auto",
        choices=LABEL_FLOWS,
        formerly="flow",
    )
    track: str = option(
        "Further than 5 frames from every mask objects are also followed by their looks and by what is "
        "salient (auto: with fgplg, own weights), or by motion alone (off).",
        default="auto",
        choices=TRACKS,
    )
    every: int = option(
        "Use only masks 0, N, 2N, ... and the last; the others are never read.", default=0, zero="all"
    )
    min_part: int = option(
        "Drop parts of an object of fewer than N pixels, its largest excepted; by default small ones that no "
        "given mask has the like of. 1 keeps all.",
        default=0,
        zero="by the masks",
    )
    update: bool = option(
        "Take the masks as they are now, those of OUT/corrections above all, and make again what depends on "
        "a changed one; videos that are new are made in addition.",
        default=False,
        panel=Panel.RUN,
    )
    only_masked: bool = option("Leave out videos that have no mask at all.", default=False)
    cuts: str = cuts_option()
    void: str = void_option()
    allow_misfit: bool = option(
        "Go on with masks that clearly fit other frames better than their own.",
        default=False,
        panel=Panel.ALLOW,
    )
    soft: bool = option("8-bit probabilities, OUT/soft.", default=False, panel=Panel.EXTRA)
    confidence: bool = option(
        "8-bit confidence of each pixel, OUT/confidence.", default=False, panel=Panel.EXTRA
    )
    overlay: bool = option("Masks over the video, OUT/overlay/<video>.mp4.", default=False, panel=Panel.EXTRA)

    def __post_init__(self) -> None:
        """Refuse for a method without weights what it does not use, too."""
        given: object = self.masks
        if isinstance(given, str | PurePath):  # a single one, as scripts give it
            object.__setattr__(self, "masks", (str(given),))
        super().__post_init__()
        if not self.masks:
            raise ConfigError("no masks given", "name a folder of masks or an annotation file: --masks")
        check_void(self.void)
        if self.update and self.shard:
            raise ConfigError("update: given together with shard", "update with a single process")
        kinds, learned = kinds_of_weights(self.method), [name for name in METHODS if METHODS[name].weights]
        hint = f"choose --method {' or '.join(learned)}"
        if self.weights and not takes_weights(self.method):
            raise ConfigError(
                f"weights: '{self.weights}' given, but method '{self.method}' uses no weights",
                f"leave out --weights, or {hint}",
            )
        if self.adapt and not kinds:
            raise ConfigError(
                f"adapt: {self.adapt} given, but method '{self.method}' has nothing to learn",
                f"leave out --adapt, or {hint} or auto",
            )
        if self.backend != "auto" and not uses_flow(self.method):
            raise ConfigError(
                f"backend: '{self.backend}' given, but method '{self.method}' uses no flow",
                "leave out --backend, or choose another --method",
            )
        if self.label_flow != "auto" and not kinds:
            raise ConfigError(
                f"label_flow: '{self.label_flow}' given, "
                f"but method '{self.method}' has only its own way to use flow",
                f"leave out --label-flow, or {hint} with --weights",
            )


def candidate_methods(config: PseudoLabelConfig) -> tuple[str, ...]:
    """The methods that a run may use, the default first."""
    return methods_of(config.method)


def resolve_label_flow(config: PseudoLabelConfig) -> str:
    """The flow to the labelled frames that a run uses: auto is "composed"."""
    return "composed" if config.label_flow == "auto" else config.label_flow
