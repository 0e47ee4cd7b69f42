"""A training run: what is known of it before its first step, and how it begins or is continued."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from vsodtool.config import TrainConfig, load_config
from vsodtool.errors import ConfigError, DataError, UsageError, WeightsError
from vsodtool.media.atomic import disk_errors, remove_leftovers, write_bytes_atomically
from vsodtool.media.output.lock import OutputLock
from vsodtool.media.output.manifest import (
    COMPLETE,
    InputEntry,
    Manifest,
    plain,
    read_manifest,
    write_manifest,
)
from vsodtool.media.training_run.folder import RunFolder, as_yaml
from vsodtool.models.inference.precision import DTYPES, resolve_precision
from vsodtool.ops.sampling.learning_rate import learning_rate
from vsodtool.ops.sampling.sample_order import steps_per_round
from vsodtool.pipelines.training.datasets import Datasets
from vsodtool.pipelines.training.processes import World
from vsodtool.types import Event, OnEvent

# What may differ when a run is continued: none of it changes the weights that come out. The batch may be
# divided otherwise (checked by `samples_per_step`).
_FREE = frozenset(
    {
        "output", "resume", "overwrite", "dry_run", "device", "workers", "batch_size", "accumulate",
        "save_minutes", "sheet_rows", "tensorboard",
    }
)  # fmt: skip


_PLACES = 10_000  # of a schedule by time


@dataclass(frozen=True)
class Plan:
    """How long and how fast.

    Attributes:
        steps: of the whole training; 0 if time decides.
        steps_per_epoch: steps between two validations; 0 if time decides.
        accumulate: backward passes per step.
        learning_rate: the highest.
        warmup: steps.
        schedule: constant or cosine.
        clip_gradient: largest norm of the gradient, 0 = any.
        precision: of the matrix products, torch.float32 or torch.bfloat16.
        epochs: validations.
        seconds: of the whole training; 0 if the number of steps decides.
    """

    steps: int
    steps_per_epoch: int
    accumulate: int
    learning_rate: float
    warmup: int
    schedule: str
    clip_gradient: float
    precision: torch.dtype
    epochs: int = 1
    seconds: float = 0.0

    @classmethod
    def of(cls, config: TrainConfig, samples: int, world: World) -> Plan:
        """The plan of a run on so many training samples."""
        per_epoch = config.steps_per_epoch or steps_per_round(samples, samples_per_step(config, world))
        return cls(
            steps=0 if config.minutes else config.epochs * per_epoch,
            steps_per_epoch=0 if config.minutes else per_epoch,
            epochs=config.epochs,
            seconds=60 * config.minutes,
            accumulate=config.accumulate,
            learning_rate=config.learning_rate,
            warmup=config.warmup,
            schedule=config.schedule,
            clip_gradient=config.clip_gradient,
            precision=DTYPES[resolve_precision(config.precision, world.device)],
        )

    def share(self, step: int, seconds: float) -> float:
        """How much is done after so many steps that took so long, 0 to 1; one step is done in any case."""
        if not step:
            return 0.0
        return min(seconds / self.seconds, 1.0) if self.seconds else step / self.steps

    def epochs_done(self, step: int, seconds: float) -> int:
        """How many validations are due by then."""
        return int(self.share(step, seconds) * self.epochs) if self.seconds else step // self.steps_per_epoch

    def rate(self, step: int, seconds: float = 0.0) -> float:
        """The learning rate of a step, counted from 0, that begins after so many seconds."""
        if not self.seconds:
            return learning_rate(
                step, base=self.learning_rate, total=self.steps, warmup=self.warmup, schedule=self.schedule
            )
        warm = min((step + 1) / max(self.warmup, 1), 1.0)
        place = int(min(self.share(step, seconds), 0.99) * _PLACES)
        return learning_rate(place, base=warm * self.learning_rate, total=_PLACES, schedule=self.schedule)

    def __str__(self) -> str:
        """For people."""
        return f"{self.seconds / 60:g} minutes" if self.seconds else f"{self.steps} steps"


@dataclass(frozen=True)
class Training:
    """What is known of a run before its network is built, and the same for all its parts.

    Attributes:
        config: the options.
        folder: where it is kept.
        world: the processes that share it.
        data: what it learns from and is judged on.
        plan: how long and how fast.
        on_event: hears of progress and notices, in the first process only.
    """

    config: TrainConfig
    folder: RunFolder
    world: World
    data: Datasets
    plan: Plan
    on_event: OnEvent

    @property
    def samples_per_step(self) -> int:
        """Of all processes and accumulated parts together."""
        return samples_per_step(self.config, self.world)

    def say(self, text: str) -> None:
        """Tell the user something."""
        self.on_event(Event("notice", message=text))

    def tell_cleared(self, verb: str) -> None:
        """Say what `--overwrite` deletes, or would."""
        made = self.folder.made() if self.config.overwrite else []
        if made:
            shown = ", ".join(path.relative_to(self.folder.root).as_posix() for path in made[:4])
            more = f" and {len(made) - 4} more" if len(made) > 4 else ""
            self.say(f"--overwrite {verb} files of an earlier run: {shown}{more}")

    @contextmanager
    def owned(self, weights: dict[str, str], *, continued: bool) -> Iterator[None]:
        """Hold the folder, with its options and its manifest, while the run writes there.

        Args:
            weights: SHA-256 by name of those that the network began with.
            continued: whether there is a run, and this is its continuation.

        Raises:
            DataError: it is continued, and the data changed since it began.
            DeviceError: another run holds it, or the disk refuses.
        """
        if not self.world.is_main:
            yield
            return
        with disk_errors(self.folder.root):
            self.folder.root.mkdir(parents=True, exist_ok=True)
        lock = OutputLock(self.folder.lock)
        try:
            if not continued:
                self.tell_cleared("deletes")
                begin(self.config, self.folder)
            remove_leftovers(self.folder.root, recursive=False)
            manifest = describe(self.config, self.data.fingerprint, len(self.data.train), weights)
            manifest = keep_manifest(self.folder, manifest, continued=continued)
            yield
            write_manifest(self.folder.manifest, replace(manifest, status=COMPLETE))
        finally:
            lock.release()


def samples_per_step(config: TrainConfig, world: World) -> int:
    """Clips (images, triplets) of one step, of all processes and accumulated parts together."""
    return config.batch_size * config.accumulate * world.size


def is_begun(config: TrainConfig, folder: RunFolder) -> bool:
    """Whether `folder` holds a run with these options, which is then continued.

    Raises:
        UsageError: it holds a run with other options, or something else.
        ConfigError: `--resume` and there is none.
        DataError: a folder in it is a link.
        WeightsError: its checkpoint is gone, and beginning anew would delete the weights that it made.
    """
    folder.check_usable()
    if config.overwrite or not folder.config.is_file():
        if config.resume:
            raise ConfigError(
                f"--resume: {folder.root} holds no training run to continue", "leave out --resume"
            )
        return False
    before = plain(asdict(load_config(TrainConfig, folder.config, {})))
    now = plain(asdict(config))
    changed = [name for name in now if name not in _FREE and now[name] != before.get(name)]
    if changed:
        name = changed[0]
        raise UsageError(
            f"{folder.root} was begun with other options: {name} was {before.get(name)}, now {now[name]}"
            + (f" (and {len(changed) - 1} more)" if len(changed) > 1 else ""),
            "choose another -o, or --overwrite to start anew",
        )
    made = [path for path in (folder.best, folder.final) if path.is_file()]
    if made and not folder.last.is_file():
        raise WeightsError(
            f"{folder.last}: expected the checkpoint from which this run goes on, found nothing",
            f"put it back, choose another -o, or --overwrite to start anew, which deletes {made[0]}",
        )
    return folder.last.is_file()


def begin(config: TrainConfig, folder: RunFolder) -> None:
    """Clear the folder and write down the options.

    Raises:
        DeviceError: the disk refuses.
    """
    folder.clear()
    lasting = {**plain(asdict(config)), "resume": False, "overwrite": False, "dry_run": False}
    write_bytes_atomically(folder.config, as_yaml(lasting).encode())


def describe(config: TrainConfig, fingerprint: str, files: int, weights: dict[str, str]) -> Manifest:
    """The manifest of a run."""
    data = InputEntry(" ".join(config.data), files, fingerprint)
    return Manifest(f"train {config.kind}", plain(asdict(config)), {"data": data}, weights)


def keep_manifest(folder: RunFolder, manifest: Manifest, *, continued: bool) -> Manifest:
    """Write the manifest of a new run; of a continued one, require that the data are the same.

    Raises:
        DataError: the data changed since.
        DeviceError: the disk refuses.
    """
    before = check_data(folder, manifest.inputs["data"].fingerprint) if continued else None
    if before is None:
        write_manifest(folder.manifest, manifest)
        return manifest
    return before


def check_data(folder: RunFolder, fingerprint: str) -> Manifest | None:
    """Require that a run goes on with the data that it began with.

    Returns:
        Its manifest; None if it has none.

    Raises:
        DataError: the data changed since.
    """
    before = read_manifest(folder.manifest)
    was = None if before is None else before.inputs.get("data")
    if was is not None and was.fingerprint != fingerprint:
        raise DataError(
            f"the training data changed since {folder.root} was begun",
            "put them back as they were, choose another -o, or start anew with --overwrite",
        )
    return before


def check_batch(content: Mapping[str, Any], samples_per_step: int) -> None:
    """Require that a step still has as many samples, however many processes share them.

    Raises:
        ConfigError: it has not.
    """
    before = content.get("samples_per_step", samples_per_step)
    if before != samples_per_step:
        raise ConfigError(
            f"a step of this run has {before} samples, now batch_size x accumulate x processes = "
            f"{samples_per_step}",
            "choose --batch-size and --accumulate so that the product is the same",
        )
