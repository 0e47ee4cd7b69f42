from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.config import FlowConfig
from vsodtool.config.shard import Shard
from vsodtool.errors import ConfigError


def test_what_is_written_is_what_is_read() -> None:
    assert Shard.parse("2/4") == Shard(2, 4)
    assert str(Shard.parse("12/120")) == "12/120"


@pytest.mark.parametrize(
    "text", ["0/4", "5/4", "1/0", "1", "1/", "/2", "-1/4", "1/4 ", "a/b", "1.0/2", "1/2/3"]
)
def test_other_shards_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="shard: expected I/N with I from 1 to N") as caught:
        FlowConfig(inputs=("a.mp4",), output=Path("out"), shard=text)
    assert "1/4, 2/4, 3/4 and 4/4" in caught.value.hint


@given(st.integers(1, 6), st.integers(1, 6))
def test_the_ranks_of_all_shards_are_all_parts_once(shards: int, ranks: int) -> None:
    parts = [
        Shard(index, shards).part(rank, ranks) for index in range(1, shards + 1) for rank in range(ranks)
    ]
    assert parts == [Shard(index, shards * ranks) for index in range(1, shards * ranks + 1)]
