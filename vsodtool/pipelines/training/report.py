"""What a training run tells at its end."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class TrainReport:
    """The outcome of a run.

    Attributes:
        kind: image, fgplg or video.
        output: the folder of the run.
        weights: the file with the best weights.
        steps: steps done, over all runs.
        epochs: validations done.
        best_step: the step with the best validation score.
        best_by: the name of that score.
        best_score: that score.
        scores: of the last validation.
        parameters: number of parameters of the network.
        seconds: of training, over all runs.
        is_main: whether this process is the one that speaks for the run.
        dry_run: nothing was done.
    """

    kind: str
    output: Path
    weights: Path
    steps: int = 0
    epochs: int = 0
    best_step: int = -1
    best_by: str = ""
    best_score: float | None = None
    scores: dict[str, float] = field(default_factory=dict)
    parameters: int = 0
    seconds: float = 0.0
    is_main: bool = True
    dry_run: bool = False

    def as_dict(self) -> dict[str, Any]:
        """In JSON types."""
        values = asdict(self)
        del values["is_main"]
        return {**values, "output": str(self.output), "weights": str(self.weights)}
