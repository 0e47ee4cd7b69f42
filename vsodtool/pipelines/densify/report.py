"""What is told of a video that was labelled."""

from __future__ import annotations

from dataclasses import dataclass, field

from vsodtool.pipelines.running.reports import VideoReport


@dataclass(frozen=True)
class PseudoLabelVideoReport(VideoReport):
    """What became of one video.

    Attributes:
        name: of the video.
        frames: that the video announces.
        given: frames with a mask of the user's, returned as it was.
        generated: frames with a mask made here, by this run or an earlier one.
        skipped: frames that did not decode.
        confidence: mean over the generated frames, 1 where there are none; an estimate of their J.
        seconds: spent on it by this run; in a dry run an estimate, 0 where there is none.
        method: that made its masks; "" in a dry run that does not know it yet.
        hidden: names of the frames whose labels were hidden from the methods to choose one.
        objects: id of each object -> its method; empty where all have the same.
        objects_j: id of each of several objects -> by method the mean J of this object.
        hidden_j: by method the mean J that it reached on these, in [0, 1]. The label lies in the middle of an
            interval that is longer than those that were to be filled, where it is hardest: most frames fare
            better.
        doubts: why its masks may not belong to it, one line each.
        worst: generated frames that are least sure, spread over time, with their confidence; lowest first.
        hidden_in_doubt: of a dry run, names of frames whose labels are hidden too if the first leave a doubt.
    """

    given: int
    generated: int
    skipped: int
    confidence: float
    seconds: float
    method: str = ""
    hidden: list[str] = field(default_factory=list)
    hidden_j: dict[str, float] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    worst: dict[str, float] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)
    objects_j: dict[str, dict[str, float]] = field(default_factory=dict)
    hidden_in_doubt: list[str] = field(default_factory=list)
