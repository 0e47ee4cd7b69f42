"""Options that several verbs share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from vsodtool.config import CommonConfig, MotionConfig, ShardedConfig
from vsodtool.errors import ConfigError

INPUT: dict[str, Any] = {"inputs": ("a.mp4",), "output": Path("out")}


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"workers": -1}, "workers: expected a whole number of at least 0, found -1"),
        ({"seed": -1}, "seed: expected a whole number of at least 0, found -1"),
        (
            {"backend": "farneback"},
            "backend: expected one of auto, dis, raft-small, raft-large, found 'farneback'",
        ),
        ({"quality": "great"}, "quality: expected one of fast, balanced, best, found 'great'"),
        ({"inputs": ()}, "no input given"),
        ({"shard": "3/2"}, "shard: expected I/N"),
    ],
)
def test_values_out_of_range(values: dict[str, Any], part: str) -> None:
    with pytest.raises(ConfigError) as caught:
        MotionConfig(**{**INPUT, **values})
    assert part in caught.value.message


def test_what_is_valid_is_kept() -> None:
    assert CommonConfig(workers=0, seed=0, device="cuda:3").device == "cuda:3"
    assert ShardedConfig(**INPUT, shard="2/3").shard == "2/3"


def test_a_configuration_does_not_change() -> None:
    with pytest.raises(AttributeError):
        CommonConfig().seed = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"engine": "spark"}, "engine: expected one of process, ray, found 'spark'"),
        ({"ray_address": "auto"}, "ray_address: 'auto' given, but the engine is 'process'"),
        ({"engine": "ray", "ray_address": "head"}, "ray_address: expected auto or HOST:PORT, found 'head'"),
        ({"engine": "ray", "ray_address": "ray://h:1"}, "expected auto or HOST:PORT"),
        ({"engine": "ray", "shard": "1/2"}, "shard: given together with engine 'ray'"),
    ],
)
def test_what_engines_cannot_do(values: dict[str, Any], part: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(part)):
        ShardedConfig(**INPUT, **values)


def test_addresses_of_clusters() -> None:
    for address in ("auto", "head:6379", "10.0.0.1:6379"):
        ShardedConfig(**INPUT, engine="ray", ray_address=address)
