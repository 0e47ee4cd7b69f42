"""What the kinds of training make datasets of."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vsodtool.config import TrainConfig
from vsodtool.data.augmentation import AUGMENTATION, NO_AUGMENTATION, PAPER
from vsodtool.data.clips.still_motion import StillMotion
from vsodtool.data.sources.training_data import TrainingData
from vsodtool.data.sources.validation_split import Scope
from vsodtool.media.training_run.folder import RunFolder
from vsodtool.pipelines.training.datasets import Found
from vsodtool.types import ignore_event

MakeConfig = Callable[..., TrainConfig]


@pytest.mark.parametrize(
    ("augment", "expected"), [("none", NO_AUGMENTATION), ("paper", PAPER), ("strong", AUGMENTATION)]
)
@pytest.mark.parametrize("motion", ["on", "off"])
def test_options_become_what_datasets_take(
    config: MakeConfig, augment: str, expected: object, motion: str
) -> None:
    settings = config(augment=augment, motion=motion)
    found = Found(
        settings, TrainingData((), (), Scope.OTHER_IMAGES, (), ""), RunFolder(settings.output), ignore_event
    )
    assert found.augmentation == expected
    assert found.motion == (StillMotion() if motion == "on" else None)
