"""`vsodtool train`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vsodtool.cli.console import Reporter
from vsodtool.cli.next_step import tell_after_training
from vsodtool.cli.options import Json, Quiet, command
from vsodtool.cli.output import print_report
from vsodtool.cli.text import Table
from vsodtool.config import TrainConfig, load_config, read_options, shipped_path, shipped_trainings
from vsodtool.errors import ConfigError


def load_training(cls: type[TrainConfig], config: Path | None, flags: Mapping[str, object]) -> TrainConfig:
    """The options of the file that --config or, for --resume, the run names, and of the command line.

    Raises:
        ConfigError: they are malformed or contradict each other.
    """
    path = _config_path(config)
    if flags["resume"]:
        path = path or _options_of_run(flags["output"])
    kind = flags["kind"]
    if path is not None and kind is not None:
        in_file = read_options(path).get("kind", kind)
        if in_file != kind:
            raise ConfigError(
                f"{path} is for `train {in_file}`, not for `train {kind}`", "choose another --config"
            )
    return load_config(cls, path, flags)


@command(TrainConfig, work="vsodtool.pipelines.train", load=load_training, shipped=shipped_trainings())
def train(config: TrainConfig, *, json: Json = False, quiet: Quiet = False) -> None:
    """Train a network on images or videos with masks.

    Writes RUN/best.safetensors (the weights with the best validation score, for `predict`, `pseudolabel` and
    --init; those that it began with where training did not pay), RUN/report.json, RUN/last.pt (from which
    the same command continues after an interruption), RUN/log.jsonl, and a picture of the validation after
    each epoch in RUN/sheets. Without --config the options are the paper's.

    Several processes share the work when started as `torchrun --nproc-per-node N -m vsodtool train ...`.
    """
    with Reporter(quiet=quiet) as reporter:
        from vsodtool.pipelines.train import run_train

        report = run_train(config, on_event=reporter)
    if not report.is_main:
        return
    left_out = {"scores", "start_scores", "dry_run"}
    if report.dry_run:  # what only a run can know
        left_out |= {"best_step", "best_score", "gain", "noise", "paid"}
        left_out |= {name for name in ("steps", "seconds") if not getattr(report, name)}
    table = Table(["what", "would be" if report.dry_run else "value"])
    table.add("data", ", ".join(config.data))
    began = {f"{name} at the start": value for name, value in report.start_scores.items()}
    for name, value in {**report.as_dict(), **began, **report.scores}.items():
        if name not in left_out:
            table.add(
                name, f"{value:.4f}" if isinstance(value, float) else "-" if value is None else str(value)
            )
    print_report(report.as_dict(), table, as_json=json)
    if report.kind in ("image", "video") and not quiet and not report.dry_run:
        tell_after_training(report.weights)


def _config_path(config: Path | None) -> Path | None:
    """The file that --config names: one that is there, or one of those that come along."""
    if config is None or config.exists() or str(config).removesuffix(".yaml") not in shipped_trainings():
        return config
    return shipped_path(f"configs/{str(config).removesuffix('.yaml')}.yaml")


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
