"""The options of `vsodtool train`. The defaults are the paper's (Yan et al., ICCV 2019, section 4.1)."""

from __future__ import annotations

from pathlib import Path

from vsodtool.config.annotations import ReadingConfig
from vsodtool.config.option import Panel, configuration, option
from vsodtool.errors import ConfigError

# Name -> the network that is trained.
KINDS = {
    "image": "RCRNet, frame by frame",
    "fgplg": "the paper's densifier",
    "video": "RCRNet+NER, clip by clip",
    "densifier": "vsodtool's own densifier",
}
INITS = ("imagenet", "scratch")
PRECISIONS = ("auto", "fp32", "bf16")
AUGMENTS = ("none", "paper", "strong")
BATCH_NORMS = ("frozen", "learned")
OPTIMIZERS = ("adam", "adamw")
SCHEDULES = ("constant", "cosine")
LOSSES = ("auto", "cross_entropy", "region")
BEST_BY = ("s_measure", "j", "mae")
MOTIONS = ("on", "off")


@configuration
class TrainConfig(ReadingConfig):
    """Options of `vsodtool train`."""

    kind: str = option(
        "What is trained. " + "; ".join(f"{kind}: {network}" for kind, network in KINDS.items()) + ".",
        panel=Panel.WHERE,
        argument=True,
        metavar="KIND",
        choices=KINDS,
    )
    output: Path = option("Folder of the run.", panel=Panel.WHERE, short="-o", metavar="RUN")
    data: tuple[str, ...] = option(
        "A source of training data, may be repeated: a DAVIS-style root, a folder with images/ and masks/, "
        "IMAGES::MASKS, what `pseudolabel` wrote, dataset:NAME/SPLIT@ROOT, annotations of another tool with "
        "their images beside them, or IMAGES::ANNOTATIONS.",
        panel=Panel.DATA,
        metavar="SOURCE",
        urls=True,
    )
    validation: tuple[str, ...] = option(
        "A source of validation data, may be repeated. None: a share of --data.",
        default=(),
        panel=Panel.DATA,
        metavar="SOURCE",
        urls=True,
    )
    validation_share: float = option(
        "Of the videos, of the images where there are none.",
        default=0.1,
        above=0,
        below=1,
        panel=Panel.DATA,
    )
    validation_samples: int = option(
        "Use so many clips of them, spread evenly.", default=0, zero="all", panel=Panel.DATA
    )
    label_every: int = option(
        "Use every N-th given mask of a video (the paper's l).", default=1, least=1, panel=Panel.DATA
    )
    pseudo_between: int = option(
        "N pseudo-labels, spread evenly between two given masks (the paper's m); -1 = all.",
        default=-1,
        least=-1,
        panel=Panel.DATA,
    )
    confidence_weight: bool = option(
        "Weigh the pixels of pseudo-labels by their confidence. The paper does not.",
        default=False,
        panel=Panel.DATA,
    )
    motion: str = option(
        "Make clips and triplets from still images too.", default="on", choices=MOTIONS, panel=Panel.DATA
    )
    augment: str = option("paper is reversal in time.", default="paper", choices=AUGMENTS, panel=Panel.DATA)
    clip_length: int = option(
        "Frames of a clip; for kind video.", default=4, least=1, metavar="T", panel=Panel.DATA
    )
    clip_gap: int = option(
        "The frames of a clip are up to so many labelled frames apart; for kind video.",
        default=1,
        least=1,
        panel=Panel.DATA,
    )
    label_gap: int = option(
        "The labels of a triplet are up to so many labelled frames away; for kind fgplg.",
        default=1,
        least=1,
        panel=Panel.DATA,
    )
    gaps: tuple[int, ...] = option(
        "Every so many-th given mask is seen and those between are hidden, in turn; for kind densifier.",
        default=(5, 10, 20),
        least=2,
        panel=Panel.DATA,
    )
    size: int = option(
        "Side of the square that the network sees, in pixels.", default=448, least=64, multiple_of=16
    )
    init: str = option(
        "imagenet, scratch, a weight file, or the folder of a run, whose best weights are taken.",
        default="imagenet",
        usual=INITS,
        metavar="NAME|FILE",
    )
    batch_norm: str = option(
        "Statistics of the batch norms: frozen as in the paper, or learned, as `scratch` needs.",
        default="frozen",
        choices=BATCH_NORMS,
    )
    freeze_backbone: bool = option(
        "Leave the weights of the backbone as they begin: faster, and no overfitting of them.", default=False
    )
    freeze_encoder: bool = option(
        "Train only what relates frames and decodes, so that little is forgotten; for kind video.",
        default=False,
    )
    variants: int = option(
        "Each clip comes in so many variants, again and again; their features are remembered if the encoder "
        "is frozen.",
        default=0,
        zero="a new one each time",
    )
    epochs: int = option(
        "Number of validations; the training is epochs x steps_per_epoch long.", default=50, least=1
    )
    steps_per_epoch: int = option(
        "Steps between two validations.", default=0, zero="as many as see all data once"
    )
    minutes: float = option(
        "Train so long, validations included, instead of a number of steps.", default=0.0, zero="by steps"
    )
    batch_size: int = option("Clips (images, triplets) per process and pass.", default=1, least=1)
    accumulate: int = option("Passes per step.", default=1, least=1)
    loss: str = option(
        "cross_entropy is the paper's; region adds 1 - J and so makes surer masks; auto is region for kind "
        "densifier, else cross_entropy.",
        default="auto",
        choices=LOSSES,
    )
    optimizer: str = option("The paper's is adam.", default="adam", choices=OPTIMIZERS)
    learning_rate: float = option("After the warm-up.", default=1e-4, above=0, below=1)
    weight_decay: float = option("Of the optimizer.", default=0.0, least=0, below=1)
    schedule: str = option(
        "Of the learning rate: constant, or cosine down to nothing at the last step.",
        default="constant",
        choices=SCHEDULES,
    )
    warmup: int = option("Steps in which the learning rate rises linearly.", default=0, least=0)
    clip_gradient: float = option("Largest norm of the gradient.", default=0.0, zero="any")
    ema: float = option(
        "Decay per step of the running mean of the weights, which is validated and kept.",
        default=0.0,
        zero="none",
        below=1,
    )
    blend: float = option(
        "Of what training changed in the weights so much is kept: those that are validated and written lie "
        "between start and end. For frozen batch norms.",
        default=1.0,
        zero="the fewer videos, the less",
        most=1,
    )
    precision: str = option(
        "Of the matrix products; the weights stay fp32.", default="auto", choices=PRECISIONS
    )
    best_by: str = option(
        "The validation score that chooses the best weights.", default="s_measure", choices=BEST_BY
    )
    backbone: str = option(
        "Whose features the decoder sees; `vsodtool weights list` shows those with ImageNet weights.",
        default="resnet50",
        panel=Panel.NETWORK,
        metavar="NAME",
    )
    output_stride: int = option("Of the deepest features, 8 or 16.", default=16, panel=Panel.NETWORK)
    context_width: int = option("Channels after ASPP, even.", default=256, panel=Panel.NETWORK)
    skip_width: int = option("Channels of a projected skip, even.", default=96, panel=Panel.NETWORK)
    refine_width: int = option("Channels after a refinement.", default=128, panel=Panel.NETWORK)
    decoder_width: int = option("Channels before the logit.", default=256, panel=Panel.NETWORK)
    fine_width: int = option(
        "Channels at 1/2 of the size; for kind densifier.", default=32, panel=Panel.NETWORK
    )
    middle_width: int = option(
        "Channels at 1/4 of the size; for kind densifier.", default=64, panel=Panel.NETWORK
    )
    coarse_width: int = option(
        "Channels at 1/8 of the size; for kind densifier.", default=96, panel=Panel.NETWORK
    )
    motion_input: bool = option(
        "See motion maps beside the pictures; for kinds image and video.", default=False, panel=Panel.NETWORK
    )
    sheet_rows: int = option(
        "Rows of the picture of each validation, RUN/sheets.", default=6, zero="no picture", panel=Panel.EXTRA
    )
    tensorboard: bool = option(
        "TensorBoard files, RUN/tensorboard (needs `pip install 'vsodtool[tensorboard]'`).",
        default=False,
        panel=Panel.EXTRA,
    )
    workers: int = option(
        "Processes that read data.", default=0, zero="as many as suit the device", panel=Panel.RUN
    )
    save_minutes: float = option(
        "At most so much work is lost by a kill.", default=5.0, zero="save after every step", panel=Panel.RUN
    )
    resume: bool = option(
        "Continue the run in RUN with the options it began with; refuse if there is none.",
        default=False,
        panel=Panel.RUN,
    )

    def __post_init__(self) -> None:
        """Refuse values that contradict each other, too.

        Raises:
            ConfigError: naming the option, what was expected and what was found.
        """
        super().__post_init__()
        if not self.data:
            raise ConfigError("no data given", "name it with --data, or set `data:` in the file for --config")
        if self.resume and self.overwrite:
            raise ConfigError(
                "--resume and --overwrite: one continues the run, the other starts anew", "leave out one"
            )
        if not self.init:
            raise ConfigError("init: expected imagenet, scratch or a file, found nothing")
        self._check_network()
        if self.init == "scratch" and self.batch_norm == "frozen":
            raise ConfigError(
                "batch_norm: 'frozen' statistics of a network that begins with random weights mean nothing",
                "use --batch-norm learned, or --init imagenet or a file",
            )
        if self.blend < 1 and self.batch_norm != "frozen":
            raise ConfigError(
                f"blend: expected 1 where batch norms learn, found {self.blend:g}", "use --batch-norm frozen"
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
        if self.freeze_encoder and self.kind != "video":
            raise ConfigError(f"freeze_encoder: expected false for kind {self.kind}, found true")
        if self.freeze_encoder and self.init in INITS:
            raise ConfigError(
                f"freeze_encoder: expected a whole network to begin with, found --init {self.init}",
                "use --init rcrnet-ner-looks, or a file",
            )
        if self.init == "scratch" and self.freeze_backbone:
            raise ConfigError(
                "freeze_backbone: random weights would stay random", "use --init imagenet, or a file"
            )
