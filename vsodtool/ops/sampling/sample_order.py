"""Which samples training sees, in which order, and what is random about each: of seed and step alone.

So a run that was interrupted repeats the same samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

Key = tuple[int, int]  # (round, index): the sample `index`, seen for the round-th time
SampleKey: TypeAlias = Key | int  # a plain index is of round 0


@dataclass(frozen=True)
class SampleOrder:
    """An endless row of samples: all of them in random order (round 0), then again in another, and so on.

    Step s takes the positions s G to (s + 1) G - 1 of the row, where G is the number of samples per step over
    all processes and accumulated parts; so a run can begin at any step, and one process with the doubled
    batch sees what two see.

    Attributes:
        length: number of samples, at least 1.
        seed: of the random order.
    """

    length: int
    seed: int

    def permutation(self, number: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """The order of round `number`."""
        return np.random.default_rng([self.seed, number]).permutation(self.length)

    def parts(
        self, steps: range, *, batch: int, accumulate: int = 1, rank: int = 0, ranks: int = 1
    ) -> Iterator[list[Key]]:
        """The keys of each backward pass of one process, `accumulate` lists per step.

        Part j of a step is split among the processes: each takes `batch` neighbours.
        """
        current, order = -1, np.empty(0, dtype=np.int64)
        for step in steps:
            for part in range(accumulate):
                start = ((step * accumulate + part) * ranks + rank) * batch
                keys = []
                for position in range(start, start + batch):
                    number, place = divmod(position, self.length)
                    if number != current:
                        current, order = number, self.permutation(number)
                    keys.append((number, int(order[place])))
                yield keys


def steps_per_round(length: int, samples_per_step: int) -> int:
    """Whole steps that see `length` samples about once; at least 1."""
    return max(length // samples_per_step, 1)


def spread(length: int, wanted: int) -> list[int]:
    """`wanted` indices below `length`, evenly spread; all if 0 or more than there are."""
    if wanted <= 0 or wanted >= length:
        return list(range(length))
    return [(2 * number + 1) * length // (2 * wanted) for number in range(wanted)]


def resolve_key(key: SampleKey, length: int) -> Key:
    """(round, index), the index counted from the front.

    Raises:
        IndexError: the index lies outside `length`; what Python's own iteration stops at.
    """
    number, index = key if isinstance(key, tuple) else (0, key)
    return number, range(length)[index]


def sample_generator(seed: int, key: Key) -> np.random.Generator:
    """The source of chance of one sample."""
    return np.random.default_rng([seed, *key])
