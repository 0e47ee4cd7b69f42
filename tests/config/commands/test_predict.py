from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vsodtool.config.commands.predict import PRECISIONS, SIZE_STEP, SMALLEST_SIZE, PredictConfig
from vsodtool.errors import ConfigError


def make(**values: Any) -> PredictConfig:
    return PredictConfig(**{"inputs": ("a",), "output": Path("o"), **values})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"clip_length": 0}, "clip_length: expected a whole number of at least 1, found 0"),
        ({"stride": -1}, "stride: expected a whole number of at least 0"),
        ({"stride": 5}, "stride: expected at most the clip length, 4, found 5"),
        ({"batch": -1}, "batch: expected a whole number of at least 0"),
        ({"size": 100}, "size: expected a multiple of 16 of at least 64"),
        ({"size": 48}, "size: expected a multiple of 16 of at least 64"),
        ({"size": -64}, "size: expected a multiple of 16 of at least 64"),
        ({"smooth": "yes"}, "smooth: expected one of auto, on, off, found 'yes'"),
        ({"precision": "half"}, "precision: expected one of auto, fp32, bf16, fp16, found 'half'"),
        ({"inputs": ()}, "no input given"),
    ],
)
def test_values_that_are_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make(**values)


def test_values_at_their_limits() -> None:
    make(clip_length=1, stride=1, size=64)
    make(clip_length=500, stride=500, batch=7)


def test_the_limits_are_those_of_the_models() -> None:
    from vsodtool.models import preprocessing
    from vsodtool.models.inference import precision

    assert precision.PRECISIONS == PRECISIONS
    assert (preprocessing.STEP, preprocessing.SMALLEST) == (SIZE_STEP, SMALLEST_SIZE)
