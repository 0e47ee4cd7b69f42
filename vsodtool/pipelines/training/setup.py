"""A training configuration -> datasets, network, plan."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import partial

import torch
from torch import nn

from vsodtool.config import TrainConfig
from vsodtool.data.augmentation import AUGMENTATION, NO_AUGMENTATION, PAPER
from vsodtool.data.clips.dataset import ClipDataset
from vsodtool.data.clips.still_motion import StillMotion
from vsodtool.data.clips.triplets import FgplgDataset
from vsodtool.data.evidence.dataset import EvidenceDataset
from vsodtool.data.evidence.files import require_evidence
from vsodtool.data.sources.training_data import DataSpec, TrainingData, load_training_data
from vsodtool.errors import DataError
from vsodtool.media.training_run.folder import RunFolder
from vsodtool.models.architecture import FGPLG, IMAGE
from vsodtool.models.detector.motion_flow import motion_estimator
from vsodtool.models.evidence.architecture import DENSIFIER
from vsodtool.models.flow.registry import create_estimator
from vsodtool.models.inference.precision import DTYPES, resolve_precision
from vsodtool.ops.sampling.sample_order import Key, steps_per_round
from vsodtool.pipelines.evidence.store import count_evidence, store_evidence
from vsodtool.pipelines.training.batches import KeyedDataset
from vsodtool.pipelines.training.loop import Plan
from vsodtool.pipelines.training.processes import World
from vsodtool.types import OnEvent, ignore_event

FLOW_QUALITY = "balanced"
_AUGMENTS = {"none": NO_AUGMENTATION, "paper": PAPER, "strong": AUGMENTATION}


@dataclass(frozen=True)
class Datasets:
    """What a run learns from and is judged on.

    Attributes:
        train: varied from round to round.
        validation: whole frames, always the same.
        notices: lines about what was found.
        fingerprint: changes when a file changes.
    """

    train: KeyedDataset
    validation: KeyedDataset
    notices: tuple[str, ...] = ()
    fingerprint: str = ""


def open_datasets(config: TrainConfig, folder: RunFolder, on_event: OnEvent = ignore_event) -> Datasets:
    """Check all the data that `config` names, and open it.

    Raises:
        DataError: something is missing, does not belong, or there is nothing to train or to validate on.
        ConfigError: a source cannot be understood.
    """
    spec = DataSpec(**{field.name: getattr(config, field.name) for field in fields(DataSpec)})
    data = load_training_data(spec, cache=folder.frames)
    if not data.validation:
        raise DataError("no validation data", "give --validation, or a larger --validation-share")
    if config.kind == DENSIFIER:
        train, validation = _evidence(config, data, folder, on_event)
    else:
        make = _triplets if config.kind == FGPLG else _clips
        train, validation = make(config, data)
    return Datasets(train, validation, data.notices, data.fingerprint)


def make_plan(config: TrainConfig, samples: int, world: World) -> Plan:
    """The plan of a run on so many training samples."""
    per_step = config.batch_size * config.accumulate * world.size
    per_epoch = config.steps_per_epoch or steps_per_round(samples, per_step)
    return Plan(
        steps=config.epochs * per_epoch,
        steps_per_epoch=per_epoch,
        accumulate=config.accumulate,
        learning_rate=config.learning_rate,
        warmup=config.warmup,
        schedule=config.schedule,
        clip_gradient=config.clip_gradient,
        precision=DTYPES[resolve_precision(config.precision, world.device)],
    )


def reader_processes(config: TrainConfig, world: World, cores: int) -> int:
    """How many processes read data for each process that trains.

    0 in the configuration chooses: on a CPU one, beside the threads that compute; else the cores are shared.
    """
    if config.workers:
        return config.workers
    return 1 if world.device.type == "cpu" else max(min(cores // world.size - 1, 12), 1)


def place(network: nn.Module, device: torch.device) -> None:
    """Move a network to its device, convolutions with their channels last: the faster layout everywhere."""
    network.to(device)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.to(memory_format=torch.channels_last)


def _clips(config: TrainConfig, data: TrainingData) -> tuple[KeyedDataset, KeyedDataset]:
    length = 1 if config.kind == IMAGE else config.clip_length
    estimator = motion_estimator if config.motion_input else None
    train = ClipDataset(
        data.train,
        clip_length=length,
        clip_gap=config.clip_gap,
        size=config.size,
        seed=config.seed,
        augmentation=_AUGMENTS[config.augment],
        confidence_weight=config.confidence_weight,
        motion=_motion(config),
        estimator=estimator,
    )
    validation = ClipDataset(
        data.validation,
        clip_length=length,
        size=config.size,
        augmentation=None,
        motion=_motion(config),
        estimator=estimator,
    )
    return train, validation


def _triplets(config: TrainConfig, data: TrainingData) -> tuple[KeyedDataset, KeyedDataset]:
    # One process reads for each that trains: DIS, which runs on the CPU, is estimated there.
    estimator = partial(create_estimator, "dis", quality=FLOW_QUALITY, device="cpu")
    train = FgplgDataset(
        data.train,
        size=config.size,
        estimator=estimator,
        seed=config.seed,
        augmentation=_AUGMENTS[config.augment],
        gap=(1, config.label_gap),
        motion=_motion(config),
    )
    validation = FgplgDataset(
        data.validation,
        size=config.size,
        estimator=estimator,
        augmentation=None,
        gap=(config.label_gap, config.label_gap),
        motion=_motion(config),
    )
    return train, validation


def _evidence(
    config: TrainConfig, data: TrainingData, folder: RunFolder, on_event: OnEvent
) -> tuple[KeyedDataset, KeyedDataset]:
    seed = config.seed if config.motion == "on" else None
    if config.dry_run:  # which writes nothing
        counts = (
            count_evidence(data.train, config.gaps, still_seed=seed),
            count_evidence(data.validation, config.gaps),
        )
        for count in counts:
            require_evidence(count)
        return _Unrecorded(counts[0]), _Unrecorded(counts[1])
    seen = store_evidence(data.train, config.gaps, folder.evidence, on_event, still_seed=seed)
    # What moves in earnest is what a densifier is judged by.
    held_out = store_evidence(data.validation, config.gaps, folder.evidence, on_event)
    return (
        EvidenceDataset(seen, size=config.size, seed=config.seed, augmentation=_AUGMENTS[config.augment]),
        # Larger squares: nothing else tells how much of an object is right.
        EvidenceDataset(held_out, size=config.size * 3 // 2 // 16 * 16),
    )


@dataclass(frozen=True)
class _Unrecorded:
    """The length of a data set that a dry run does not record."""

    length: int

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, key: Key, /) -> None:
        raise AssertionError("a dry run reads no samples")


def _motion(config: TrainConfig) -> StillMotion | None:
    return StillMotion() if config.motion == "on" else None
