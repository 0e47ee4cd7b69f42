"""What `evaluate` found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vsodtool.config.protocols import Choices
from vsodtool.config.void import AUTO
from vsodtool.pipelines.scoring.frame import FrameTask
from vsodtool.pipelines.scoring.totals import Curve, Scores


@dataclass(frozen=True)
class FrameCounts:
    """Frames of one method.

    Attributes:
        scored: that the scores are means of.
        ends: left out as the first or last of their video.
        given: left out because their masks were given.
        empty_truth: among the scored, those whose truth has no object.
        resized: among the scored, those whose prediction had another size.
        missing: among the scored, those without a prediction.
        extra: predictions without a truth.
    """

    scored: int = 0
    ends: int = 0
    given: int = 0
    empty_truth: int = 0
    resized: int = 0
    missing: int = 0
    extra: int = 0


@dataclass(frozen=True)
class WorstFrame:
    """A frame with a low score.

    Attributes:
        task: the frame, and how it is read.
        method: which of its predictions.
        score: the value of the measure that it is worst in.
    """

    task: FrameTask
    method: int
    score: float


@dataclass(frozen=True)
class MethodReport:
    """Scores of one method.

    Attributes:
        name: of the method, from its folder.
        predictions: the folder that was read.
        frames: how many were scored, and how many were not, why.
        scores: as the protocol averages.
        videos: video -> scores.
        average_over_frames: every frame counts the same.
        average_over_videos: every video counts the same.
        empty_truth: scores of the frames whose truth has no object, averaged over frames; empty if none.
        without_empty_truth: scores of the others, as the protocol averages; empty if all or none are empty.
        curves: precision_curve, recall_curve, f_curve, e_curve, float64 (256,), averaged as `scores`.
        video_frames: video -> frames scored.
        objects: video -> number of objects that J and F were measured of.
        worst: the worst frames, the worst first.
    """

    name: str
    predictions: Path
    frames: FrameCounts
    scores: Scores
    videos: Mapping[str, Scores]
    average_over_frames: Scores
    average_over_videos: Scores
    empty_truth: Scores
    without_empty_truth: Scores
    curves: Mapping[str, Curve]
    video_frames: Mapping[str, int]
    objects: Mapping[str, int]
    worst: tuple[WorstFrame, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """In JSON types, `scores`, `videos` and the averages as the contract has them."""
        videos = {
            name: {
                **scores,
                "frames": self.video_frames[name],
                **({"objects": self.objects[name]} if self.objects.get(name) else {}),
            }
            for name, scores in self.videos.items()
        }
        return {
            "predictions": str(self.predictions),
            "frames": asdict(self.frames),
            "scores": self.scores,
            "videos": videos,
            "average_over_frames": self.average_over_frames,
            "average_over_videos": self.average_over_videos,
            "empty_truth": {"frames": self.frames.empty_truth, "scores": self.empty_truth},
            "without_empty_truth": {
                "frames": self.frames.scored - self.frames.empty_truth,
                "scores": self.without_empty_truth,
            },
        }


@dataclass(frozen=True)
class EvaluateReport:
    """Scores of all methods.

    Attributes:
        protocol: its name.
        choices: everything that it and the options say.
        void: the id of masks that was no object, as `--void` says.
        values: what grey values of predictions were, as `--values` says.
        every: frames 0, N, 2N, ... and the last were left out as given; 0 = none.
        dataset: name of the data, for captions.
        ground_truth: the folder that was read.
        methods: in the order given.
        missing_videos: of the truth, not scored because some method lacks them.
        extra_videos: of methods, without truth.
        worst_by: the measure that the worst frames are worst in.
        files: what was to be written.
        failures: what could not be written, and why.
        seconds: of the whole run.
        dry_run: nothing was read but names.
    """

    protocol: str
    choices: Choices
    void: str
    every: int
    dataset: str
    ground_truth: Path
    methods: tuple[MethodReport, ...]
    missing_videos: tuple[str, ...] = ()
    extra_videos: tuple[str, ...] = ()
    worst_by: str = ""
    files: tuple[Path, ...] = ()
    failures: tuple[str, ...] = ()
    seconds: float = 0.0
    dry_run: bool = False
    values: str = AUTO

    def as_dict(self) -> dict[str, Any]:
        """In JSON types; with several methods their parts stand under `methods`, by name."""
        choices = {key: value for key, value in asdict(self.choices).items() if key != "prefers"}
        if self.void != AUTO:
            choices["void"] = self.void
        if self.values != AUTO:
            choices["values"] = self.values
        head: dict[str, Any] = {
            "protocol": self.protocol,
            "choices": {**choices, "measures": list(self.choices.measures), "every": self.every},
            "ground_truth": str(self.ground_truth),
        }
        tail = {
            "missing_videos": list(self.missing_videos),
            "extra_videos": list(self.extra_videos),
            "files": [str(file) for file in self.files],
            "failures": list(self.failures),
            "seconds": round(self.seconds, 3),
            "dry_run": self.dry_run,
        }
        if len(self.methods) == 1:
            return {**head, **self.methods[0].as_dict(), **tail}
        return {**head, "methods": {method.name: method.as_dict() for method in self.methods}, **tail}
