# What `import vsodtool` offers, for editors and type checkers. Made of vsodtool/config by `make options`.

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, overload

from vsodtool.config import EvaluateConfig as EvaluateConfig
from vsodtool.config import FlowConfig as FlowConfig
from vsodtool.config import PredictConfig as PredictConfig
from vsodtool.config import PseudoLabelConfig as PseudoLabelConfig
from vsodtool.config import SuggestConfig as SuggestConfig
from vsodtool.config import TrainConfig as TrainConfig
from vsodtool.config import load_config as load_config
from vsodtool.errors import ConfigError as ConfigError
from vsodtool.errors import DataError as DataError
from vsodtool.errors import DeviceError as DeviceError
from vsodtool.errors import UsageError as UsageError
from vsodtool.errors import VsodtoolError as VsodtoolError
from vsodtool.errors import WeightsError as WeightsError
from vsodtool.pipelines.flow import FlowReport as FlowReport
from vsodtool.pipelines.predict import PredictReport as PredictReport
from vsodtool.pipelines.pseudolabel import PseudoLabelReport as PseudoLabelReport
from vsodtool.pipelines.scoring.report import EvaluateReport as EvaluateReport
from vsodtool.pipelines.suggest import SuggestReport as SuggestReport
from vsodtool.pipelines.train import TrainReport as TrainReport
from vsodtool.types import Event as Event
from vsodtool.types import OnEvent as OnEvent

__version__: str

@overload
def evaluate(config: EvaluateConfig, /, *, on_event: OnEvent = ...) -> EvaluateReport: ...
@overload
def evaluate(
    *,
    predictions: str | Path | Sequence[str | Path] = ...,
    ground_truth: str | Path = ...,
    protocol: Literal["davsod", "pysod", "toolbox", "davis"] = ...,
    measures: Literal[
        "mae", "f", "e", "s_measure", "weighted_f", "iou", "j", "boundary_f", "hce", "stability", "auto"
    ]
    | Sequence[
        Literal[
            "mae", "f", "e", "s_measure", "weighted_f", "iou", "j", "boundary_f", "hce", "stability", "auto"
        ]
    ] = ...,
    every: int = ...,
    skip_given: bool = ...,
    void: str = ...,
    normalize: Literal["auto", "min-max", "none"] = ...,
    ends: Literal["auto", "keep", "drop"] = ...,
    average: Literal["auto", "video", "frame"] = ...,
    f_measure: Literal["auto", "frame-curves", "mean-precision-recall"] = ...,
    objects: str = ...,
    values: Literal["auto", "soft", "ids"] = ...,
    threshold: float = ...,
    allow_missing: bool = ...,
    allow_extra: bool = ...,
    allow_resize: bool = ...,
    csv: str | Path = ...,
    plots: str | Path = ...,
    name: str = ...,
    masks_format: Literal[
        "auto",
        "cvat",
        "cvat-masks",
        "supervisely",
        "coco",
        "youtube-vis",
        "label-studio",
        "labelme",
        "labelme-folders",
        "burst",
        "mots",
        "datumaro",
        "via",
        "yolo",
    ] = ...,
    match: Literal["auto", "name", "number", "index"] = ...,
    frame_offset: int = ...,
    classes: str = ...,
    empty: Literal["unknown", "given"] = ...,
    empty_tag: str = ...,
    boxes: bool = ...,
    interpolated: bool = ...,
    skip_bad: bool = ...,
    device: str = ...,
    workers: int = ...,
    seed: int = ...,
    overwrite: bool = ...,
    dry_run: bool = ...,
    on_event: OnEvent = ...,
) -> EvaluateReport: ...
@overload
def flow(config: FlowConfig, /, *, on_event: OnEvent = ...) -> FlowReport: ...
@overload
def flow(
    *,
    inputs: str | Path | Sequence[str | Path],
    output: str | Path,
    direction: Literal["forward", "backward", "both"] = ...,
    step: int = ...,
    format: Literal["flo", "png", "npz"] = ...,
    quality: Literal["fast", "balanced", "best"] = ...,
    backend: Literal["auto", "dis", "raft-small", "raft-large"] = ...,
    preview: bool = ...,
    shard: str = ...,
    engine: Literal["process", "ray"] = ...,
    ray_address: str = ...,
    device: str = ...,
    workers: int = ...,
    seed: int = ...,
    overwrite: bool = ...,
    dry_run: bool = ...,
    on_event: OnEvent = ...,
) -> FlowReport: ...
@overload
def predict(config: PredictConfig, /, *, on_event: OnEvent = ...) -> PredictReport: ...
@overload
def predict(
    *,
    inputs: str | Path | Sequence[str | Path],
    output: str | Path,
    weights: str | Path = ...,
    clip_length: int = ...,
    stride: int = ...,
    size: int = ...,
    smooth: Literal["auto", "on", "off"] = ...,
    cuts: str = ...,
    mirror: bool = ...,
    precision: Literal["auto", "fp32", "bf16", "fp16"] = ...,
    compile: bool = ...,
    batch: int = ...,
    masks: bool = ...,
    overlay: bool = ...,
    shard: str = ...,
    engine: Literal["process", "ray"] = ...,
    ray_address: str = ...,
    device: str = ...,
    workers: int = ...,
    seed: int = ...,
    overwrite: bool = ...,
    dry_run: bool = ...,
    on_event: OnEvent = ...,
) -> PredictReport: ...
@overload
def pseudolabel(config: PseudoLabelConfig, /, *, on_event: OnEvent = ...) -> PseudoLabelReport: ...
@overload
def pseudolabel(
    *,
    inputs: str | Path | Sequence[str | Path],
    masks: str | Path | Sequence[str | Path],
    output: str | Path,
    method: Literal["auto", "fgplg", "warp", "sam2"] = ...,
    weights: str | Path = ...,
    adapt: int = ...,
    label_flow: Literal["auto", "composed", "direct"] = ...,
    track: Literal["auto", "off"] = ...,
    every: int = ...,
    min_part: int = ...,
    only_masked: bool = ...,
    cuts: str = ...,
    void: str = ...,
    quality: Literal["fast", "balanced", "best"] = ...,
    backend: Literal["auto", "dis", "raft-small", "raft-large"] = ...,
    allow_misfit: bool = ...,
    soft: bool = ...,
    confidence: bool = ...,
    overlay: bool = ...,
    objects: str = ...,
    predictions: bool = ...,
    masks_format: Literal[
        "auto",
        "cvat",
        "cvat-masks",
        "supervisely",
        "coco",
        "youtube-vis",
        "label-studio",
        "labelme",
        "labelme-folders",
        "burst",
        "mots",
        "datumaro",
        "via",
        "yolo",
    ] = ...,
    match: Literal["auto", "name", "number", "index"] = ...,
    frame_offset: int = ...,
    classes: str = ...,
    empty: Literal["unknown", "given"] = ...,
    empty_tag: str = ...,
    boxes: bool = ...,
    interpolated: bool = ...,
    skip_bad: bool = ...,
    update: bool = ...,
    shard: str = ...,
    engine: Literal["process", "ray"] = ...,
    ray_address: str = ...,
    device: str = ...,
    workers: int = ...,
    seed: int = ...,
    overwrite: bool = ...,
    dry_run: bool = ...,
    on_event: OnEvent = ...,
) -> PseudoLabelReport: ...
@overload
def suggest(config: SuggestConfig, /, *, on_event: OnEvent = ...) -> SuggestReport: ...
@overload
def suggest(
    *,
    inputs: str | Sequence[str],
    number: int = ...,
    by: Literal["spread", "error"] = ...,
    every: int = ...,
    frames: str = ...,
    cuts: str = ...,
    names: bool = ...,
    export: str | Path = ...,
    to: Literal["", "masks", "labelme", "x-anylabeling", "cvat", "label-studio"] = ...,
    device: str = ...,
    workers: int = ...,
    seed: int = ...,
    overwrite: bool = ...,
    dry_run: bool = ...,
    on_event: OnEvent = ...,
) -> SuggestReport: ...
@overload
def train(config: TrainConfig, /, *, on_event: OnEvent = ...) -> TrainReport: ...
@overload
def train(
    *,
    kind: Literal["image", "fgplg", "video", "densifier"],
    output: str | Path,
    data: str | Path | Sequence[str | Path],
    validation: str | Path | Sequence[str | Path] = ...,
    validation_share: float = ...,
    validation_samples: int = ...,
    label_every: int = ...,
    pseudo_between: int = ...,
    confidence_weight: bool = ...,
    motion: Literal["on", "off"] = ...,
    augment: Literal["none", "paper", "strong"] = ...,
    clip_length: int = ...,
    clip_gap: int = ...,
    label_gap: int = ...,
    gaps: int | Sequence[int] = ...,
    size: int = ...,
    init: str | Path = ...,
    batch_norm: Literal["frozen", "learned"] = ...,
    freeze_backbone: bool = ...,
    freeze_encoder: bool = ...,
    variants: int = ...,
    epochs: int = ...,
    steps_per_epoch: int = ...,
    minutes: float = ...,
    batch_size: int = ...,
    accumulate: int = ...,
    loss: Literal["auto", "cross_entropy", "region"] = ...,
    optimizer: Literal["adam", "adamw"] = ...,
    learning_rate: float = ...,
    weight_decay: float = ...,
    schedule: Literal["constant", "cosine"] = ...,
    warmup: int = ...,
    clip_gradient: float = ...,
    ema: float = ...,
    blend: float = ...,
    precision: Literal["auto", "fp32", "bf16"] = ...,
    best_by: Literal["s_measure", "j", "mae"] = ...,
    backbone: str = ...,
    output_stride: int = ...,
    context_width: int = ...,
    skip_width: int = ...,
    refine_width: int = ...,
    decoder_width: int = ...,
    fine_width: int = ...,
    middle_width: int = ...,
    coarse_width: int = ...,
    motion_input: bool = ...,
    sheet_rows: int = ...,
    tensorboard: bool = ...,
    masks_format: Literal[
        "auto",
        "cvat",
        "cvat-masks",
        "supervisely",
        "coco",
        "youtube-vis",
        "label-studio",
        "labelme",
        "labelme-folders",
        "burst",
        "mots",
        "datumaro",
        "via",
        "yolo",
    ] = ...,
    match: Literal["auto", "name", "number", "index"] = ...,
    frame_offset: int = ...,
    classes: str = ...,
    empty: Literal["unknown", "given"] = ...,
    empty_tag: str = ...,
    boxes: bool = ...,
    interpolated: bool = ...,
    skip_bad: bool = ...,
    workers: int = ...,
    save_minutes: float = ...,
    resume: bool = ...,
    device: str = ...,
    seed: int = ...,
    overwrite: bool = ...,
    dry_run: bool = ...,
    on_event: OnEvent = ...,
) -> TrainReport: ...
