"""What `predict` did."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class PredictVideoReport:
    """What became of one video.

    Attributes:
        name: of the video.
        frames: that the video announces.
        generated: frames with a map, made by this run or an earlier one.
        skipped: frames that did not decode.
        confidence: mean over the generated frames, 1 where there are none.
        seconds: spent on it by this run.
    """

    name: str
    frames: int
    generated: int
    skipped: int
    confidence: float
    seconds: float


@dataclass(frozen=True)
class PredictReport:
    """What a run did.

    Attributes:
        weights: name of the weights.
        device: that computed.
        precision: that it computed in: fp32, bf16 or fp16.
        output: the folder written to.
        videos: one entry per video.
        losses: what could not be read, one line each; empty if all went well.
        seconds: of the whole run.
        dry_run: nothing was done; confidences are 0.
    """

    weights: str
    device: str
    precision: str
    output: Path
    videos: list[PredictVideoReport] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    seconds: float = 0.0
    dry_run: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The report in JSON types."""
        return {**asdict(self), "output": str(self.output)}
