"""`vsodtool suggest`: which frames to label, as a list and as pictures to draw on.

DIR/images/<video>/<frame>.png
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vsodtool.config import SuggestConfig
from vsodtool.errors import UsageError
from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.media.images import encode_png
from vsodtool.media.output.layout import check_export
from vsodtool.media.video.frames import FrameSource, open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.pipelines.running.runs import tell_losses
from vsodtool.pipelines.suggesting.stills import Place, places, refuse_nothing, take
from vsodtool.pipelines.suggesting.suggestion import Suggestion, time_of
from vsodtool.types import Event, Frame, OnEvent, ignore_event

VERSION = 1


@dataclass(frozen=True)
class SuggestReport:
    """Frames to label.

    Attributes:
        version: of this form, raised when a field changes its meaning.
        videos: number of videos.
        frames: number of all frames.
        suggestions: the frames.
        export: the folder that pictures were written to; "" for none.
        dry_run: nothing was written.
    """

    version: int
    videos: int
    frames: int
    suggestions: list[Suggestion] = field(default_factory=list)
    export: str = ""
    dry_run: bool = False

    def as_dict(self) -> dict[str, Any]:
        """In JSON types."""
        return asdict(self)


def run_suggest(config: SuggestConfig, *, on_event: OnEvent = ignore_event) -> SuggestReport:
    """Say which frames to label, and write them as pictures where that is asked for.

    Args:
        config: what to do.
        on_event: hears of progress, of what could not be read, and what to do next.

    Raises:
        UsageError: frames are asked for that do not exist, or the folder to write to cannot be used.
        DataError: an input is missing or cannot be read.
        DeviceError: a picture cannot be written.
    """
    sources = [open_frames(video) for video in discover_videos(config.inputs)]
    if config.export:
        given = [Path(text) for text in config.inputs if text != "-"]
        check_export(Path(config.export), [*given, *(source.video.path for source in sources)])
    wanted = places(sources, config)
    suggestions = []
    for source, own in zip(sources, wanted, strict=True):
        suggestions += _of_video(source, own, config, on_event)
    if config.export and not config.dry_run:
        _tell_next(config, sources, on_event)
    return SuggestReport(
        VERSION,
        len(sources),
        sum(len(source.names) for source in sources),
        suggestions,
        config.export,
        config.dry_run,
    )


def still_path(folder: Path, video: str, frame: str) -> Path:
    """Where the picture of a frame is written."""
    return folder / "images" / video / f"{frame}.png"


def _of_video(
    source: FrameSource, wanted: Sequence[Place], config: SuggestConfig, on_event: OnEvent
) -> list[Suggestion]:
    name = source.video.name
    writes = bool(config.export) and not config.dry_run
    if not writes and not any(place.near for place in wanted):
        return [_suggestion(source, place.index, place.reason) for place in wanted]
    found = []
    on_event(Event("video", name, total=len(wanted)))
    for place, frame in take(source, wanted):
        if writes:
            _write(still_path(Path(config.export), name, frame.name), frame, overwrite=config.overwrite)
        found.append(_suggestion(source, frame.index, place.reason))
        on_event(Event("frame", name, done=len(found), total=len(wanted)))
    tell_losses(source, on_event)
    refuse_nothing(source, wanted, len(found))
    on_event(Event("done", name, done=len(found), total=len(wanted)))
    return found


def _suggestion(source: FrameSource, index: int, reason: str) -> Suggestion:
    return Suggestion(source.video.name, source.names[index], index, time_of(source, index), reason=reason)


def _write(path: Path, frame: Frame, *, overwrite: bool) -> None:
    """Write a picture; what lies there stays if it is the same, so that a second run continues the first.

    Raises:
        UsageError: something else lies there, and is not to be replaced.
    """
    data = encode_png(frame.rgb)
    if path.is_file():
        if path.read_bytes() == data:
            return
        if not overwrite:
            raise UsageError(
                f"{path} exists and is another picture", "choose another folder with --export, or --overwrite"
            )
    write_bytes_atomically(path, data)


def _tell_next(config: SuggestConfig, sources: Sequence[FrameSource], on_event: OnEvent) -> None:
    folder = Path(config.export)
    name = sources[0].video.name if len(sources) == 1 else "<video>"
    inputs = " ".join(config.inputs)
    on_event(
        Event(
            "notice",
            message=f"draw a mask for each picture in {folder / 'images' / name}, save it under the same "
            f"name in {folder / 'masks' / name}, then: "
            f"vsodtool pseudolabel {inputs} --masks {folder / 'masks'} -o labels",
        )
    )
