"""`--shard I/N`: which of N equal parts of the videos a process works on."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vsodtool.errors import ConfigError

_FORM = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")


@dataclass(frozen=True)
class Shard:
    """One of `count` parts.

    Attributes:
        index: from 1 to `count`.
        count: at least 1.
    """

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read "2/4".

        Raises:
            ConfigError: the text has another form, or names a part that does not exist.
        """
        match = _FORM.fullmatch(text)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise ConfigError(
                f"shard: expected I/N with I from 1 to N, found '{text}'",
                "the shards of a job array of four are 1/4, 2/4, 3/4 and 4/4",
            )
        return cls(int(match[1]), int(match[2]))

    def part(self, rank: int, count: int) -> Shard:
        """This shard divided once more: the part of process `rank` (from 0) of `count`."""
        return Shard((self.index - 1) * count + rank + 1, self.count * count)

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"
