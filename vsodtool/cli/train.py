"""`vsodtool train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vsodtool.cli import options
from vsodtool.cli.console import Reporter
from vsodtool.cli.output import print_report
from vsodtool.cli.text import Table
from vsodtool.config import TrainConfig, load_config, read_options, shipped_path
from vsodtool.config.train import AUGMENTS, BATCH_NORMS, BEST_BY, KINDS, LOSSES, MOTIONS, PRECISIONS
from vsodtool.errors import ConfigError

DATA = "Data"


def _number(flag: str, text: str, panel: str = options.HOW, metavar: str = "N") -> object:
    return options.option(flag, help=text, panel=panel, metavar=metavar)


def train(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="|".join(KINDS),
            show_default=False,
            help="image: RCRNet, frame by frame; fgplg: the densifier; video: RCRNet+NER.",
        ),
    ] = None,
    *,
    output: Annotated[
        str | None,
        options.option("-o", "--output", help="Folder of the run.", panel=options.WHERE, metavar="RUN"),
    ] = None,
    config: Annotated[
        Path | None,
        options.option(
            "--config",
            help="YAML file with options, or the name of one that comes along: train-image, train-fgplg, "
            "train-video (the paper's), train-image-small, train-fgplg-small, train-video-small, "
            "train-video-motion. Flags win.",
            panel=options.WHERE,
            metavar="FILE",
        ),
    ] = None,
    data: Annotated[
        list[str] | None,
        options.option(
            "--data",
            help="A source of training data, may be repeated: a DAVIS-style root, a folder with images/ and "
            "masks/, IMAGES::MASKS, what `pseudolabel` wrote, or dataset:NAME/SPLIT@ROOT.",
            panel=DATA,
            metavar="SOURCE",
        ),
    ] = None,
    validation: Annotated[
        list[str] | None,
        options.option(
            "--validation",
            help="A source of validation data, may be repeated. None: a share of --data.",
            panel=DATA,
            metavar="SOURCE",
        ),
    ] = None,
    validation_share: Annotated[
        float | None, _number("--validation-share", "Share of the videos.", DATA, "X")
    ] = None,
    label_every: Annotated[
        int | None, _number("--label-every", "Use every N-th given mask (the paper's l).", DATA)
    ] = None,
    pseudo_between: Annotated[
        int | None,
        _number(
            "--pseudo-between", "N pseudo-labels between two given masks (the paper's m); -1 = all.", DATA
        ),
    ] = None,
    confidence_weight: Annotated[
        bool | None,
        options.option(
            "--confidence-weight/--no-confidence-weight",
            help="Weigh pseudo-labels by their confidence. The paper does not.",
            panel=DATA,
        ),
    ] = None,
    motion: Annotated[
        str | None,
        options.option(
            "--motion",
            help=f"{'|'.join(MOTIONS)}. Make clips and triplets from still images.",
            panel=DATA,
            metavar="NAME",
        ),
    ] = None,
    augment: Annotated[
        str | None,
        options.option("--augment", help=f"{'|'.join(AUGMENTS)}.", panel=DATA, metavar="NAME"),
    ] = None,
    init: Annotated[
        str | None,
        options.option(
            "--init",
            help="imagenet, scratch, a weight file, or the folder of a run, whose best weights are taken.",
            panel=options.HOW,
            metavar="NAME|FILE",
        ),
    ] = None,
    batch_norm: Annotated[
        str | None,
        options.option("--batch-norm", help=f"{'|'.join(BATCH_NORMS)}.", panel=options.HOW, metavar="NAME"),
    ] = None,
    freeze_backbone: Annotated[
        bool | None,
        options.option(
            "--freeze-backbone/--no-freeze-backbone",
            help="Leave the backbone as it begins.",
            panel=options.HOW,
        ),
    ] = None,
    size: Annotated[int | None, _number("--size", "Side of the square that the network sees.")] = None,
    clip_length: Annotated[int | None, _number("--clip-length", "Frames per clip.", metavar="T")] = None,
    epochs: Annotated[int | None, _number("--epochs", "Number of validations.")] = None,
    steps_per_epoch: Annotated[
        int | None, _number("--steps-per-epoch", "Steps between two validations; 0 = once through the data.")
    ] = None,
    batch_size: Annotated[int | None, _number("--batch-size", "Clips per pass and process.")] = None,
    accumulate: Annotated[int | None, _number("--accumulate", "Passes per step.")] = None,
    learning_rate: Annotated[
        float | None, _number("--learning-rate", "After the warm-up.", metavar="X")
    ] = None,
    loss: Annotated[
        str | None,
        options.option(
            "--loss",
            help=f"{'|'.join(LOSSES)}. The paper's is cross_entropy; region makes surer masks.",
            panel=options.HOW,
            metavar="NAME",
        ),
    ] = None,
    best_by: Annotated[
        str | None,
        options.option(
            "--best-by", help=f"{'|'.join(BEST_BY)}: chooses the best.", panel=options.HOW, metavar="NAME"
        ),
    ] = None,
    precision: Annotated[
        str | None,
        options.option("--precision", help=f"{'|'.join(PRECISIONS)}.", panel=options.HOW, metavar="NAME"),
    ] = None,
    save_minutes: Annotated[
        float | None,
        _number("--save-minutes", "At most so much work is lost by a kill.", options.RUN, "X"),
    ] = None,
    tensorboard: Annotated[
        bool | None,
        options.option(
            "--tensorboard/--no-tensorboard", help="TensorBoard files, RUN/tensorboard.", panel=options.EXTRA
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue the run in RUN with the options it began with; refuse if there is none.",
            rich_help_panel=options.RUN,
        ),
    ] = False,
    device: options.Device = None,
    workers: Annotated[
        int | None, _number("--workers", "Processes that read data; 0 chooses.", options.RUN)
    ] = None,
    seed: options.Seed = None,
    overwrite: options.Overwrite = None,
    dry_run: options.DryRun = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train a network on images or videos with masks.

    Writes RUN/best.safetensors (the weights with the best validation score, for `predict`, `pseudolabel` and
    --init), RUN/last.pt (from which the same command continues after an interruption), RUN/log.jsonl,
    and a picture of the validation after each epoch in RUN/sheets. Without --config the options are the
    paper's. All options are in the YAML files; the most used ones are flags too.

    Several processes share the work when started as `torchrun --nproc-per-node N -m vsodtool train ...`.
    """
    overrides: dict[str, object] = {
        "kind": kind,
        "output": output,
        "data": tuple(data) if data else None,
        "validation": tuple(validation) if validation else None,
        "validation_share": validation_share,
        "label_every": label_every,
        "pseudo_between": pseudo_between,
        "confidence_weight": confidence_weight,
        "motion": motion,
        "augment": augment,
        "init": init,
        "batch_norm": batch_norm,
        "freeze_backbone": freeze_backbone,
        "size": size,
        "clip_length": clip_length,
        "epochs": epochs,
        "steps_per_epoch": steps_per_epoch,
        "batch_size": batch_size,
        "accumulate": accumulate,
        "learning_rate": learning_rate,
        "loss": loss,
        "best_by": best_by,
        "precision": precision,
        "save_minutes": save_minutes,
        "tensorboard": tensorboard,
        "device": device,
        "workers": workers,
        "seed": seed,
        "overwrite": overwrite,
        "dry_run": dry_run,
    }
    settings = _settings(kind, config, overrides, resume=resume)
    with Reporter(quiet=quiet) as reporter:
        from vsodtool.pipelines.train import run_train

        report = run_train(settings, on_event=reporter)
    if not report.is_main:
        return
    table = Table(["what", "value"])
    for name, value in {**report.as_dict(), **report.scores}.items():
        if name not in {"scores", "dry_run"}:
            table.add(
                name, f"{value:.4f}" if isinstance(value, float) else "-" if value is None else str(value)
            )
    print_report(report.as_dict(), table, as_json=json)


def _settings(
    kind: str | None, config: Path | None, overrides: dict[str, object], *, resume: bool
) -> TrainConfig:
    """The options of the file and the command line together.

    Raises:
        ConfigError: they are malformed or contradict each other.
    """
    path = _config_path(config)
    if resume:
        path = path or _options_of_run(overrides["output"])
        overrides = {**overrides, "resume": True}
    if path is not None and kind is not None:
        in_file = read_options(path).get("kind", kind)
        if in_file != kind:
            raise ConfigError(
                f"{path} is for `train {in_file}`, not for `train {kind}`", "choose another --config"
            )
    return load_config(TrainConfig, path, overrides)


def _config_path(config: Path | None) -> Path | None:
    """The file that --config names: one that is there, or one of those that come along."""
    if (
        config is None
        or config.exists()
        or config.name != str(config)
        or not config.name.startswith("train-")
    ):
        return config
    return shipped_path(f"configs/{config.name.removesuffix('.yaml')}.yaml")


def _options_of_run(output: object) -> Path:
    """The options that the run in `output` was begun with.

    Raises:
        ConfigError: there is no run.
    """
    if not output:
        raise ConfigError("no output given", "name the folder of the run with -o")
    path = Path(str(output)) / "config.yaml"
    if not path.is_file():
        raise ConfigError(
            f"--resume: {output} holds no training run to continue", "check -o, or leave out --resume"
        )
    return path
