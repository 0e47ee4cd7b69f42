"""The options of `vsodtool train`. The defaults are the paper's (Yan et al., ICCV 2019, section 4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vsodtool.config.schema import CommonConfig
from vsodtool.errors import ConfigError

KINDS = ("image", "fgplg", "video", "densifier")
INITS = ("imagenet", "scratch")
PRECISIONS = ("auto", "fp32", "bf16")
AUGMENTS = ("none", "paper", "strong")
BATCH_NORMS = ("frozen", "learned")
OPTIMIZERS = ("adam", "adamw")
SCHEDULES = ("constant", "cosine")
LOSSES = ("auto", "cross_entropy", "region")
BEST_BY = ("s_measure", "j", "mae")
MOTIONS = ("on", "off")

_CHOICES = {
    "kind": KINDS,
    "precision": PRECISIONS,
    "augment": AUGMENTS,
    "batch_norm": BATCH_NORMS,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "loss": LOSSES,
    "best_by": BEST_BY,
    "motion": MOTIONS,
}
_AT_LEAST = {
    "validation_samples": 0,
    "label_every": 1,
    "pseudo_between": -1,
    "clip_length": 1,
    "clip_gap": 1,
    "label_gap": 1,
    "batch_size": 1,
    "accumulate": 1,
    "epochs": 1,
    "steps_per_epoch": 0,
    "warmup": 0,
    "sheet_rows": 0,
}
# Names -> (lowest, highest, whether the lowest is allowed).
_RANGES = {
    "validation_share": (0.0, 1.0, False),
    "learning_rate": (0.0, 1.0, False),
    "weight_decay": (0.0, 1.0, True),
    "clip_gradient": (0.0, 1e9, True),
    "ema": (0.0, 1.0, True),
    "save_minutes": (0.0, 1e9, True),
}


@dataclass(frozen=True, kw_only=True)
class TrainConfig(CommonConfig):
    """Options of `vsodtool train`.

    `workers` are processes that read data; 0 chooses. The fields of the architecture are those of
    `vsodtool.models.architecture.Architecture`.

    Attributes:
        kind: image (RCRNet), fgplg (the paper's densifier), video (RCRNet+NER) or densifier (vsodtool's own).
        data: sources of training data, see docs/training.md.
        output: folder of the run.
        resume: continue the run in `output`, with the options that it began with.
        validation: sources of validation data; none: a share of `data`, by whole videos.
        validation_share: of the videos (of the images where there are no videos).
        validation_samples: use so many clips of them, spread evenly; 0 = all.
        label_every: the paper's l: of the given masks of a video, use every l-th.
        pseudo_between: the paper's m: so many pseudo-labels, spread evenly between two given masks; -1 = all.
        confidence_weight: weigh the pixels of pseudo-labels by their confidence.
        motion: on: clips and triplets are made from still images where they are among the data.
        augment: none, paper (reversal in time) or strong.
        clip_length: T, frames of a clip; used by kind video.
        clip_gap: the frames of a training clip are up to so many labelled frames apart; used by kind video.
        label_gap: the labels of a triplet are up to so many labelled frames away; used by kind fgplg.
        gaps: of the given masks each so many-th is seen, and those between are hidden, in turn; used by kind
            densifier.
        size: side of the square that the network sees, in pixels, a multiple of 16.
        backbone: see Architecture, as all until decoder_width.
        output_stride: see Architecture.
        context_width: see Architecture.
        skip_width: see Architecture.
        refine_width: see Architecture.
        decoder_width: see Architecture.
        fine_width: see EvidenceArchitecture (kind densifier), as the next two.
        middle_width: see EvidenceArchitecture.
        coarse_width: see EvidenceArchitecture.
        motion_input: see Architecture; kinds image and video.
        freeze_backbone: leave the weights of the backbone as they begin: faster, and no overfitting of them.
        init: imagenet, scratch, or a weight file or the folder of a run to start from.
        batch_norm: frozen statistics, as in the paper, or learned ones (needed with `init: scratch`).
        epochs: number of validations; the length of the training is epochs x steps_per_epoch.
        steps_per_epoch: steps between two validations; 0 = as many as see all data once.
        batch_size: clips (images, triplets) per process and backward pass.
        accumulate: backward passes per step.
        loss: cross_entropy (the paper's), region, which adds 1 - J of the region and so makes surer masks, or
            auto: region for kind densifier, else cross_entropy.
        optimizer: adam or adamw.
        learning_rate: of the optimizer, after the warm-up.
        weight_decay: of the optimizer.
        schedule: constant, or cosine down to nothing at the last step.
        warmup: steps in which the learning rate rises linearly.
        clip_gradient: largest norm of the gradient; 0 = any.
        ema: decay per step of the running mean of the weights that is validated and kept; 0 = none.
        precision: auto, fp32 or bf16 (of the matrix products; weights stay fp32).
        best_by: the validation score that chooses the best weights.
        save_minutes: at most so many minutes of work are lost by a kill; 0 saves after every step.
        sheet_rows: rows of the validation sheet; 0 = no sheet.
        tensorboard: also write TensorBoard files (needs `pip install 'vsodtool[tensorboard]'`).
    """

    kind: str
    data: tuple[str, ...]
    output: Path
    resume: bool = False
    validation: tuple[str, ...] = ()
    validation_share: float = 0.1
    validation_samples: int = 0
    label_every: int = 1
    pseudo_between: int = -1
    confidence_weight: bool = False
    motion: str = "on"
    augment: str = "paper"
    clip_length: int = 4
    clip_gap: int = 1
    label_gap: int = 1
    gaps: tuple[int, ...] = (5, 10, 20)
    size: int = 448
    backbone: str = "resnet50"
    output_stride: int = 16
    context_width: int = 256
    skip_width: int = 96
    refine_width: int = 128
    decoder_width: int = 256
    fine_width: int = 32
    middle_width: int = 64
    coarse_width: int = 96
    motion_input: bool = False
    freeze_backbone: bool = False
    init: str = "imagenet"
    batch_norm: str = "frozen"
    epochs: int = 50
    steps_per_epoch: int = 0
    batch_size: int = 1
    accumulate: int = 1
    loss: str = "auto"
    optimizer: str = "adam"
    learning_rate: float = 1e-4
    weight_decay: float = 0.0
    schedule: str = "constant"
    warmup: int = 0
    clip_gradient: float = 0.0
    ema: float = 0.0
    precision: str = "auto"
    best_by: str = "s_measure"
    save_minutes: float = 5.0
    sheet_rows: int = 6
    tensorboard: bool = False

    def __post_init__(self) -> None:
        """Refuse values outside their choices or ranges, and ones that contradict each other.

        Raises:
            ConfigError: naming the option, what was expected and what was found.
        """
        super().__post_init__()
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                raise ConfigError(f"{name}: expected one of {', '.join(choices)}, found '{value}'")
        for name, least in _AT_LEAST.items():
            if getattr(self, name) < least:
                raise ConfigError(
                    f"{name}: expected a whole number of at least {least}, found {getattr(self, name)}"
                )
        for name, (lowest, highest, closed) in _RANGES.items():
            number = getattr(self, name)
            if not (lowest <= number < highest if closed else lowest < number < highest):
                raise ConfigError(
                    f"{name}: expected a number between {lowest:g} and {highest:g}, found {number:g}"
                )
        if self.size < 64 or self.size % 16:
            raise ConfigError(f"size: expected a multiple of 16 of at least 64, found {self.size}")
        if not self.gaps or min(self.gaps) < 2:
            raise ConfigError(f"gaps: expected whole numbers of at least 2, found {list(self.gaps)}")
        if not self.data:
            raise ConfigError("no data given", "name it with --data, or set `data:` in the file for --config")
        if not self.init:
            raise ConfigError("init: expected imagenet, scratch or a file, found nothing")
        self._check_network()
        if self.init == "scratch" and self.batch_norm == "frozen":
            raise ConfigError(
                "batch_norm: 'frozen' statistics of a network that begins with random weights mean nothing",
                "use --batch-norm learned, or --init imagenet or a file",
            )
        frames = self.batch_size * (self.clip_length if self.kind == "video" else 1)
        if self.batch_norm == "learned" and frames < 2:
            raise ConfigError(
                f"batch_size: expected at least 2 where batch norms learn from it, found {self.batch_size}",
                "use a larger --batch-size, or --batch-norm frozen with weights to start from",
            )

    def _check_network(self) -> None:
        if self.motion_input and self.kind in {"fgplg", "densifier"}:
            raise ConfigError(
                f"motion_input: expected false for kind {self.kind}, which has flows of its own, found true"
            )
        if self.kind == "densifier" and self.backbone != "efficientnet_lite0":
            raise ConfigError(
                f"backbone: expected efficientnet_lite0 for kind densifier, found {self.backbone}",
                "use --config train-densifier",
            )
        if self.init == "scratch" and self.freeze_backbone:
            raise ConfigError(
                "freeze_backbone: random weights would stay random", "use --init imagenet, or a file"
            )
