"""What a run over videos reports; and the reports of several processes, made one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

from vsodtool.errors import DataError
from vsodtool.types import Event, FrameRecord, OnEvent


@dataclass(frozen=True)
class VideoReport:
    """What became of one video.

    Attributes:
        name: of the video.
        frames: that the video announces.
    """

    name: str
    frames: int


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """What a run did; each verb adds fields of its own, of JSON types, paths, lists and dataclasses.

    Attributes:
        output: the folder written to.
        videos: one entry per video.
        losses: what could not be read, one line each; empty if all went well.
        not_made: names of the videos that could not be made; the losses say why.
        seconds: of the whole run.
        dry_run: nothing was done; confidences are 0, and so are seconds that were not estimated.
    """

    output: Path
    videos: Sequence[VideoReport] = ()
    losses: list[str] = field(default_factory=list)
    not_made: list[str] = field(default_factory=list)
    seconds: float = 0.0
    dry_run: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The report in JSON types, first what is the verb's own; None is what a dry run cannot say."""
        values = asdict(self)
        if self.dry_run:
            for each in (values, *values["videos"]):
                each.update({name: None for name in _MEASURED if name in each and not each[name]})
        shared = {each.name: values.pop(each.name) for each in fields(RunReport)}
        return {**values, **shared, "output": str(self.output)}


_MEASURED = ("confidence", "seconds")  # 0 in a dry run, unless they were estimated

R = TypeVar("R", bound=RunReport)
V = TypeVar("V", bound=VideoReport)


@dataclass(frozen=True)
class Outcome(Generic[V]):
    """What became of a video.

    Attributes:
        report: for people.
        losses: what could not be read, one line each.
        records: one for each frame, in order; none where the run makes no table of frames.
        counts: what the manifest says of it, where the run makes no table of frames.
    """

    report: V
    losses: list[str]
    records: list[FrameRecord] = field(default_factory=list)
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """What became of the videos of a run, whoever did the work.

    Attributes:
        outcomes: of those that were made, by name.
        failed: a line for each of the others, by name.
        refused: what was wrong with those of them that cannot be made anywhere, by name.
    """

    outcomes: dict[str, Outcome[Any]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    refused: dict[str, DataError] = field(default_factory=dict)

    def refuse(self, video: str, error: DataError, on_event: OnEvent) -> None:
        """Note, and tell, that a video cannot be made."""
        self.refused.setdefault(video, error)
        self.fail(video, error.message, on_event)

    def fail(self, video: str, reason: str, on_event: OnEvent) -> None:
        """Note, and tell, that a video was not made; the first reason counts."""
        if video not in self.failed:
            self.failed[video] = f"{video}: {reason}"
            on_event(Event("warning", video, self.failed[video]))


def pack(report: RunReport) -> str:
    """The report as JSON, in ASCII."""
    return json.dumps(asdict(report), default=str)


def unpack(text: str, kind: type[R]) -> R:
    """What `pack` was given."""
    report: R = _revive(kind, json.loads(text))
    return report


def merge(reports: Sequence[R]) -> R:
    """One report of all: their videos by name, their losses, the longest time; the rest is the first's."""
    videos = [video for report in reports for video in report.videos]
    losses = [line for report in reports for line in report.losses]
    return replace(
        reports[0],
        videos=sorted(videos, key=lambda video: video.name),
        losses=losses,
        not_made=[name for report in reports for name in report.not_made],
        seconds=max(report.seconds for report in reports),
    )


def _revive(kind: Any, value: Any) -> Any:
    if isinstance(kind, type) and is_dataclass(kind):
        types = get_type_hints(kind)
        return kind(**{name: _revive(types[name], item) for name, item in value.items()})
    if get_origin(kind) is list:
        return [_revive(get_args(kind)[0], item) for item in value]
    return Path(value) if kind is Path else value
