"""Whether training paid: what was gained over the weights it began with, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Scores = Mapping[str, float]
_LESS_IS_BETTER = {"mae"}


@dataclass(frozen=True)
class Judgement:
    """Scores of a network, of all that validates and of parts of it.

    Attributes:
        scores: by measure.
        halves: the same by half of the frames of each video, early and late.
    """

    scores: Scores
    halves: Mapping[str, Scores]

    def as_dict(self) -> dict[str, Any]:
        """In plain types."""
        return {
            "scores": dict(self.scores),
            "halves": {name: dict(scores) for name, scores in self.halves.items()},
        }


@dataclass(frozen=True)
class Gain:
    """How much better a network is than another.

    Attributes:
        value: positive is better, whatever the measure.
        noise: standard error of its mean over the halves; infinite where there is one only.
    """

    value: float
    noise: float

    @property
    def is_sure(self) -> bool:
        """Whether "better" may be said: the gain does not hang on which frames were looked at."""
        return self.value > self.noise


def gain(before: Judgement, now: Judgement, measure: str) -> Gain:
    """What `now` has gained over `before`, both judged on the same frames.

    Of two halves the noise is half of what their gains differ by: a gain is sure if both halves agree on it.
    """
    sign = -1 if measure in _LESS_IS_BETTER else 1
    shared = sorted(before.halves.keys() & now.halves.keys())
    gains = [sign * (now.halves[name][measure] - before.halves[name][measure]) for name in shared]
    noise = float(np.std(gains, ddof=1)) / math.sqrt(len(gains)) if len(gains) > 1 else math.inf
    return Gain(sign * (now.scores[measure] - before.scores[measure]), noise)
