"""What the work on a video knows of `--adapt`, which comes from above: `pipelines/training/adapt.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from torch import Tensor

from vsodtool.pipelines.densify.choosing.hidden_labels import TrialSchedule
from vsodtool.pipelines.densify.interval import SparseVideo
from vsodtool.pipelines.densify.setup import Candidates
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.types import OnEvent


@dataclass(frozen=True)
class Learned:
    """What was learned from the labels of a video.

    Attributes:
        candidates: for this video.
        weights: of the one that the run does not have, by name; none where nothing could be learned.
    """

    candidates: Candidates
    weights: Mapping[str, Tensor] = field(default_factory=dict)


class Adapt(Protocol):
    """Gives a video one more candidate, by its labels: `--adapt`."""

    def learn(
        self,
        video: SparseVideo,
        schedule: TrialSchedule,
        candidates: Candidates,
        workers: Workers,
        on_event: OnEvent,
    ) -> Learned:
        """Learn from the labels."""
        ...

    def restore(self, candidates: Candidates, path: Path) -> Candidates:
        """What was learned before, from a file of its weights."""
        ...
