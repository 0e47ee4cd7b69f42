"""What a run learns from and is judged on, and what the kinds of training make datasets of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from vsodtool.config import TrainConfig
from vsodtool.data.augmentation import AUGMENTATION, NO_AUGMENTATION, PAPER, Augmentation
from vsodtool.data.clips.still_motion import StillMotion
from vsodtool.data.sources.training_data import TrainingData
from vsodtool.data.sources.validation_split import Scope
from vsodtool.media.training_run.folder import RunFolder
from vsodtool.pipelines.training.batches import KeyedDataset
from vsodtool.pipelines.training.judging.doubt import NO_DOUBT, Doubt
from vsodtool.types import OnEvent

_AUGMENTS = {"none": NO_AUGMENTATION, "paper": PAPER, "strong": AUGMENTATION}

Pair: TypeAlias = tuple[KeyedDataset, KeyedDataset]  # to train on, varied from round to round; to validate on


@dataclass(frozen=True)
class Datasets:
    """What a run learns from and is judged on.

    Attributes:
        train: varied from round to round.
        validation: whole frames, always the same.
        scope: what scores on it speak for.
        notices: lines about what was found.
        fingerprint: changes when a file changes.
        doubt: whether the labels are those of the frames.
        videos: number of those in `train`.
    """

    train: KeyedDataset
    validation: KeyedDataset
    scope: Scope = Scope.OTHER_VIDEOS
    notices: tuple[str, ...] = ()
    fingerprint: str = ""
    doubt: Doubt = NO_DOUBT
    videos: int = 0


@dataclass(frozen=True)
class Found:
    """The data that a run names, checked, and how they are to be used.

    Attributes:
        config: options of the run.
        data: labelled videos and images.
        folder: of the run.
        on_event: hears of progress, where something has to be made first.
    """

    config: TrainConfig
    data: TrainingData
    folder: RunFolder
    on_event: OnEvent

    @property
    def augmentation(self) -> Augmentation:
        """How training samples are varied."""
        return _AUGMENTS[self.config.augment]

    @property
    def motion(self) -> StillMotion | None:
        """How still images move; None leaves them out."""
        return StillMotion() if self.config.motion == "on" else None
