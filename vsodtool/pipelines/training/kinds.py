"""The kinds of training, by one table: a new kind is one file and one line of `KINDS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path

from vsodtool.config import TrainConfig
from vsodtool.data.sources.training_data import DataSpec, load_training_data
from vsodtool.errors import ConfigError, DataError
from vsodtool.media.training_run.folder import RunFolder
from vsodtool.models.architecture import FGPLG, FUSED, IMAGE, VIDEO
from vsodtool.models.evidence.architecture import DENSIFIER
from vsodtool.models.rcrnet.losses import region_loss, saliency_loss
from vsodtool.models.u2net.architecture import U2NetArchitecture
from vsodtool.models.weights.networks import TrainedArchitecture, architecture_class
from vsodtool.ops.inverted import INVERTED
from vsodtool.pipelines.running.reading import reading_of
from vsodtool.pipelines.training.clips import IMAGE_TASK, VIDEO_TASK, open_clips
from vsodtool.pipelines.training.datasets import Datasets, Found, Pair
from vsodtool.pipelines.training.evidence import DENSIFIER_TASK, open_evidence
from vsodtool.pipelines.training.judging.doubt import NO_DOUBT, doubt_labels, inverted_labels
from vsodtool.pipelines.training.task import Task
from vsodtool.pipelines.training.triplets import FGPLG_TASK, open_triplets
from vsodtool.types import Event, OnEvent, ignore_event

_LOSSES = {"cross_entropy": saliency_loss, "region": region_loss}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A line of the table.

    Attributes:
        network: the kind of network that is trained (`models.weights.networks`).
        datasets: makes datasets of the data that were found.
        task: how a batch of them goes through the network, and what the network should say.
        config: the file of configs/ to begin with, as `--config` names it.
        starts_from: further kinds of network whose weights may be begun with (`--init`).
        stretches: whether a few frames of a video are enough to validate on.
    """

    network: str
    datasets: Callable[[Found], Pair]
    task: Task
    config: str
    starts_from: tuple[str, ...] = ()
    stretches: bool = False


KINDS: dict[str, Kind] = {
    "image": Kind(network=IMAGE, datasets=open_clips, task=IMAGE_TASK, config="train-image", stretches=True),
    "fgplg": Kind(
        network=FGPLG, datasets=open_triplets, task=FGPLG_TASK, config="train-fgplg", starts_from=(IMAGE,)
    ),
    "video": Kind(
        network=VIDEO,
        datasets=open_clips,
        task=VIDEO_TASK,
        config="train-video",
        starts_from=(IMAGE, FUSED),
        stretches=True,
    ),
    "densifier": Kind(
        network=DENSIFIER, datasets=open_evidence, task=DENSIFIER_TASK, config="train-densifier"
    ),
}


def open_datasets(
    config: TrainConfig, folder: RunFolder, on_event: OnEvent = ignore_event, *, cache: Path | None = None
) -> Datasets:
    """Check all the data that `config` names, and open it.

    Args:
        config: of the run.
        folder: of the run.
        on_event: hears of progress, where something has to be made first.
        cache: for the frames of video files; None: in the folder of the run.

    Raises:
        DataError: something is missing, does not belong, or there is nothing to train or to validate on.
        ConfigError: a source cannot be understood.
    """
    named = {each.name: getattr(config, each.name) for each in fields(DataSpec) if hasattr(config, each.name)}
    kind = KINDS[config.kind]
    spec = DataSpec(**named, stretches=kind.stretches, reading=reading_of(config, "single"))
    data = load_training_data(spec, cache=cache or folder.frames)
    if not data.validation:
        raise DataError("no validation data", "give --validation, or a larger --validation-share")
    train, validation = kind.datasets(Found(config, data, folder, on_event))
    doubt = doubt_labels([*data.train, *data.validation]) if kind.stretches else NO_DOUBT
    for name in doubt.videos:
        text = "its masks fit its frames no better than other places of them: are they of this video?"
        on_event(Event("warning", name, text))
    for name in inverted_labels([*data.train, *data.validation]):
        on_event(Event("warning", name, INVERTED))
    videos = len({video.place.resolve() for video in data.train if not video.stills})
    return Datasets(train, validation, data.scope, data.notices, data.fingerprint, doubt, videos)


def task_of(config: TrainConfig) -> Task:
    """The task of a kind of training, with the loss that the options name."""
    task = KINDS[config.kind].task
    return task if config.loss == "auto" else replace(task, loss=_LOSSES[config.loss])


def architecture_of(config: TrainConfig) -> TrainedArchitecture:
    """The architecture that a configuration describes.

    Raises:
        ConfigError: it cannot be built.
    """
    kind = KINDS[config.kind]
    cls = architecture_class(kind.network)
    assert not issubclass(cls, U2NetArchitecture)  # no kind of training makes one
    names = [field.name for field in fields(cls) if field.name != "kind"]
    try:
        return cls(kind=kind.network, **{name: getattr(config, name) for name in names})
    except ConfigError as error:
        raise ConfigError(error.message, error.hint or f"begin with --config {kind.config}") from error
