"""What Python may give for an option: its type, text for a path, NumPy's numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vsodtool.config import PseudoLabelConfig, TrainConfig, load_config
from vsodtool.errors import ConfigError


def made(**options: object) -> PseudoLabelConfig:
    return PseudoLabelConfig(**{"inputs": ("clip",), "masks": ("masks",), "output": Path("out")} | options)  # type: ignore[arg-type]


def test_a_configuration_that_exists_is_a_valid_one() -> None:
    config = made(inputs="clip.mp4", masks=Path("masks"), output="labels")
    assert config.inputs == ("clip.mp4",)
    assert config.masks == ("masks",)
    assert config.output == Path("labels")
    for options, words in (
        ({"every": "2"}, "every: expected a whole number, found '2'"),
        ({"soft": 1}, "soft: expected true or false, found 1"),
        ({"output": 3}, "output: expected a path, found 3"),
        ({"inputs": [1]}, "inputs: expected a list of texts"),
    ):
        with pytest.raises(ConfigError, match=words):
            made(**options)


def test_numbers_of_numpy_are_the_numbers_that_they_hold() -> None:
    config = made(every=np.int64(2), soft=np.bool_(True))
    assert (type(config.every), type(config.soft)) == (int, bool)
    with pytest.raises(ConfigError, match="every: expected a whole number, found 2"):
        made(every=np.float32(2.5))
    gaps = [np.int64(5), np.uint8(10)]
    assert load_config(
        TrainConfig, None, {"kind": "fgplg", "data": "d", "output": "run", "gaps": gaps}
    ).gaps == (
        5,
        10,
    )
