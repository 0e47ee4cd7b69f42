"""The reports of several processes, made one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, get_args, get_origin, get_type_hints


class VideoPart(Protocol):
    """What became of one video."""

    @property
    def name(self) -> str:
        """Of the video."""
        ...


class Report(Protocol):
    """A frozen dataclass that says what a run did, of JSON types, paths, lists and dataclasses."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def videos(self) -> Sequence[VideoPart]:
        """One entry per video."""
        ...

    @property
    def losses(self) -> Sequence[str]:
        """What could not be read."""
        ...

    @property
    def seconds(self) -> float:
        """Of the whole run."""
        ...


R = TypeVar("R", bound=Report)


def pack(report: Report) -> str:
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
        seconds=max(report.seconds for report in reports),
    )


def _revive(kind: Any, value: Any) -> Any:
    if isinstance(kind, type) and is_dataclass(kind):
        types = get_type_hints(kind)
        return kind(**{name: _revive(types[name], item) for name, item in value.items()})
    if get_origin(kind) is list:
        return [_revive(get_args(kind)[0], item) for item in value]
    return Path(value) if kind is Path else value
