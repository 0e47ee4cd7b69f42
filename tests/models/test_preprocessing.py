"""Preprocessing as plain values, and what it does."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from vsodtool.errors import ConfigError
from vsodtool.models.preprocessing import Preprocessing


def test_preprocessing_there_and_back() -> None:
    other = Preprocessing(size=320, mean=(0.1, 0.2, 0.3))
    assert Preprocessing.from_dict(json.loads(json.dumps(other.as_dict()))) == other


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": 100}, "size: expected a multiple of 16 of at least 64, found 100"),
        ({"size": 48}, "size: expected a multiple of 16 of at least 64, found 48"),
        ({"size": True}, "size: expected a multiple"),
        ({"mean": [0.5]}, "mean: expected three numbers"),
        ({"std": [0.5, 0.0, 0.5]}, "std: expected three numbers"),
        ({"crop": 3}, "unknown value 'crop'"),
        ({"size": 16 * 10**9}, "size: expected at most 4096"),
        ({"mean": "abc"}, "mean: expected three numbers, found 'abc'"),
        ({"mean": [float("inf"), 0, 0]}, "mean: expected three numbers"),
        ({"std": [[1], [1], [1]]}, "std: expected three numbers"),
    ],
)
def test_impossible_preprocessing_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Preprocessing.from_dict(values)


def test_images_are_normalised_channel_by_channel() -> None:
    seen = Preprocessing(mean=(0.0, 0.5, 1.0), std=(1.0, 0.5, 2.0))
    image = torch.full((2, 3, 4, 5), 0.5)
    expected = torch.tensor([0.5, 0.0, -0.25]).view(1, 3, 1, 1).expand_as(image)
    assert torch.equal(seen.normalise(image), expected)
    assert torch.equal(image, torch.full((2, 3, 4, 5), 0.5))
