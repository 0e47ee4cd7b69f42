"""What `pseudolabel` did."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class VideoReport:
    """What became of one video.

    Attributes:
        name: of the video.
        frames: that the video announces.
        given: frames with a mask of the user's, returned as it was.
        generated: frames with a mask made here, by this run or an earlier one.
        skipped: frames that did not decode.
        confidence: mean over the generated frames, 1 where there are none; an estimate of their J.
        seconds: spent on it by this run.
        method: that made its masks; "" in a dry run that does not know it yet.
        hidden: names of the frames whose labels were hidden from the methods to choose one.
        hidden_j: by method the mean J that it reached on these, in [0, 1]. The label lies in the middle of an
            interval that is longer than those that were to be filled, where it is hardest: most frames fare
            better.
    """

    name: str
    frames: int
    given: int
    generated: int
    skipped: int
    confidence: float
    seconds: float
    method: str = ""
    hidden: list[str] = field(default_factory=list)
    hidden_j: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class PseudoLabelReport:
    """What a run did.

    Attributes:
        method: that made the labels; "auto" where one was chosen for each video.
        flow: the flow backends and their settings.
        output: the folder written to.
        videos: one entry per video.
        losses: what could not be read, one line each; empty if all went well.
        seconds: of the whole run.
        dry_run: nothing was done; confidences are 0.
    """

    method: str
    flow: str
    output: Path
    videos: list[VideoReport] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    seconds: float = 0.0
    dry_run: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The report in JSON types."""
        return {**asdict(self), "output": str(self.output)}
