"""Chance as a function of (seed, epoch, index): a run that was interrupted repeats the same samples."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

SampleKey: TypeAlias = tuple[int, int] | int  # (epoch, index); a plain index is of epoch 0


def resolve_key(key: SampleKey, length: int) -> tuple[int, int]:
    """(epoch, index), the index counted from the front.

    Raises:
        IndexError: the index lies outside `length`; what Python's own iteration stops at.
    """
    epoch, index = key if isinstance(key, tuple) else (0, key)
    return epoch, range(length)[index]


def sample_generator(seed: int, key: tuple[int, int]) -> np.random.Generator:
    """The source of chance of one sample."""
    return np.random.default_rng([seed, *key])
