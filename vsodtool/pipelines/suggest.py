"""`vsodtool suggest`: which frames to label, as a list and as pictures to draw on.

DIR/images/<video>/<frame>.png, and of OUT with `--to` the masks of these frames as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from vsodtool.config import ConvertConfig, SuggestConfig
from vsodtool.config.shell_words import shell_word, shell_words
from vsodtool.errors import UsageError
from vsodtool.media.output.layout import check_export
from vsodtool.media.output.object_names import read_object_names
from vsodtool.media.video.frame_names import check_case_of, check_frame_names
from vsodtool.media.video.frames import FrameSource, open_frames
from vsodtool.media.video.inputs import discover_videos, expand_inputs
from vsodtool.pipelines.convert import run_convert
from vsodtool.pipelines.densify.updating.tools import Tools
from vsodtool.pipelines.running.runs import tell_losses
from vsodtool.pipelines.running.shots import Cuts, find_shots, resolve_cuts
from vsodtool.pipelines.suggesting.finished import Finished, is_output, read_finished
from vsodtool.pipelines.suggesting.hidden import HiddenLabels, sources_of
from vsodtool.pipelines.suggesting.pictures import pictures_folder, refuse_existing, write_picture
from vsodtool.pipelines.suggesting.ranking import Ranking, rank, rank_spread
from vsodtool.pipelines.suggesting.stills import Place, places, refuse_nothing, take
from vsodtool.pipelines.suggesting.suggestion import Suggestion, time_of
from vsodtool.pipelines.update import config_of
from vsodtool.types import Event, OnEvent, ignore_event

VERSION = 1
BESIDE = ("labelme", "x-anylabeling")  # whose files lie beside the pictures
SUFFIXES = {"cvat": ".xml", "label-studio": ".json"}  # of those that are one file for each video


@dataclass(frozen=True)
class SuggestReport:
    """Frames to label.

    Attributes:
        version: of this form, raised when a field changes its meaning.
        videos: number of videos.
        frames: number of all frames.
        given: how many of them are labelled.
        hidden: how many labels were hidden and made again, to measure how wrong the others come out.
        estimated_j: the mean J that all frames are expected to have, labelled ones counted as 1; None where
            no label was hidden.
        estimated_after: the same once the suggested frames are labelled.
        suggestions: the frames.
        export: the folder that pictures were written to; "" for none.
        losses: frames that should have been written and could not be read, one line each.
        dry_run: nothing was written.
    """

    version: int
    videos: int
    frames: int
    given: int = 0
    hidden: int = 0
    estimated_j: float | None = None
    estimated_after: float | None = None
    suggestions: list[Suggestion] = field(default_factory=list)
    export: str = ""
    losses: list[str] = field(default_factory=list)
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
        DataError: an input is missing or cannot be read, or OUT is unfinished.
        WeightsError: the weights that OUT was made with cannot be had.
        DeviceError: a picture cannot be written, or the device of OUT does not exist here.
    """
    given = [Path(text) for text in expand_inputs(config.inputs)]
    outputs = [path for path in given if is_output(path)]
    if not outputs:
        return _before_labels(replace(config, inputs=tuple(map(str, given))), on_event)
    if len(given) > 1:
        raise UsageError(
            f"expected one OUT folder or inputs, found both or several: {outputs[0]}", "give that one alone"
        )
    if config.every or config.frames:
        raise UsageError(
            f"--every and --frames choose among frames that nobody labelled, {given[0]} is an OUT folder",
            "give the video itself, or -n",
        )
    return _of_output(given[0], config, on_event)


def suggestions_of(output: Path, count: int, by: str = "spread") -> list[Suggestion]:
    """The frames of a finished run to label next, by what is known: nothing is decoded, no network loaded.

    Args:
        output: an OUT folder of pseudolabel or predict.
        count: how many, at most.
        by: spread or error, as `SuggestConfig` says. For error `vsodtool suggest --by error` must have been
            there before; else confidence decides.

    Raises:
        UsageError: it is no such folder.
        DataError: the run is not finished, or a file of it is damaged.
    """
    finished = read_finished(output)
    return _ranking(finished, HiddenLabels(finished), count, by).suggestions


def _before_labels(config: SuggestConfig, on_event: OnEvent) -> SuggestReport:
    if config.to:
        raise UsageError(
            f"to: '{config.to}' given, but nothing is labelled yet", "leave it out, or give an OUT folder"
        )
    videos = discover_videos(config.inputs, on_event=on_event)
    check_frame_names(videos)
    sources = [open_frames(video) for video in videos]
    if config.export:
        check_export(Path(config.export), [*map(Path, config.inputs), *(each.video.path for each in sources)])
        check_case_of(Path(config.export), [source.video for source in sources])
    cuts = resolve_cuts(config.cuts, sources)
    wanted = places(sources, config, lambda source: _shots(source, cuts, on_event))
    suggestions: list[Suggestion] = []
    losses: list[str] = []
    for source, own in zip(sources, wanted, strict=True):
        found, lost = _of_video(source, own, config, on_event)
        suggestions += found
        losses += lost
    if config.export and not config.dry_run:
        names = [source.video.name for source in sources]
        _tell_next(config, names, f"vsodtool pseudolabel {shell_words(config.inputs)} -o labels", on_event)
    return SuggestReport(
        VERSION,
        len(sources),
        sum(len(source.names) for source in sources),
        suggestions=suggestions,
        export=config.export,
        losses=losses,
        dry_run=config.dry_run,
    )


def _of_video(
    source: FrameSource, wanted: Sequence[Place], config: SuggestConfig, on_event: OnEvent
) -> tuple[list[Suggestion], list[str]]:
    """The frames of a video, and lines about those that should have been written and are not."""
    name = source.video.name
    writes = bool(config.export) and not config.dry_run
    if not writes and not any(place.near for place in wanted):
        return [_still(source, place.index, place.reason) for place in wanted], []
    found = []
    on_event(Event("video", name, total=len(wanted)))
    for place, frame in take(source, wanted):
        if writes:
            write_picture(Path(config.export), name, frame, overwrite=config.overwrite)
        found.append(_still(source, frame.index, place.reason))
        on_event(Event("frame", name, done=len(found), total=len(wanted)))
    told = tell_losses(source, on_event)
    refuse_nothing(source, wanted, len(found))
    on_event(Event("done", name, done=len(found), total=len(wanted)))
    return found, told if writes and len(found) < len(wanted) else []


def _shots(source: FrameSource, cuts: Cuts, on_event: OnEvent) -> list[range]:
    """The shots of a video, told if there are several."""
    shots = cuts.known(source.video.name)
    split = (find_shots(source) if shots is None else shots).split(len(source.names))
    if len(split) > 1:
        firsts = ", ".join(source.names[shot.start] for shot in split[1:6])
        more = f" and {len(split) - 6} more" if len(split) > 6 else ""
        text = f"{source.video.name}: {len(split)} shots, cut at {firsts}{more}"
        on_event(Event("notice", source.video.name, text))
    return split


def _still(source: FrameSource, index: int, reason: str) -> Suggestion:
    return Suggestion(source.video.name, source.names[index], index, time_of(source, index), reason=reason)


def _of_output(output: Path, config: SuggestConfig, on_event: OnEvent) -> SuggestReport:
    finished = read_finished(output)
    sources = sources_of(finished)
    if config.export:
        check_export(Path(config.export), [output, *(each.video.path for each in sources.values())])
        check_case_of(Path(config.export), [each.video for each in sources.values()])
    hidden = HiddenLabels(finished)
    if finished.manifest.command == "predict":
        on_event(Event("notice", message="made by predict: nothing is known but the confidence of its masks"))
    elif config.by == "error" and not config.dry_run:
        hidden.measure(sources, lambda: Tools(config_of(output)), on_event)
    ranking = _ranking(finished, hidden, config.number, config.by)
    ranking = replace(
        ranking,
        suggestions=[
            replace(each, time=time_of(sources[each.video], each.index)) for each in ranking.suggestions
        ],
    )
    report = SuggestReport(
        VERSION,
        len(finished.videos),
        sum(len(video.rows) for video in finished.videos),
        sum(len(video.labels) for video in finished.videos),
        **{name: getattr(ranking, name) for name in ("hidden", "estimated_j", "estimated_after")},
        suggestions=ranking.suggestions,
        export=config.export,
        dry_run=config.dry_run,
    )
    on_event(Event("notice", message=_summary(output, report, config.by)))
    if config.export and not config.dry_run and report.suggestions:
        return replace(report, losses=_export(finished, sources, report.suggestions, config, on_event))
    return report


def _ranking(finished: Finished, hidden: HiddenLabels, count: int, by: str) -> Ranking:
    if by == "spread" and finished.manifest.command != "predict":  # which has no labels to be far from
        return rank_spread(finished, count)
    errors = [hidden.errors(video) for video in finished.videos]
    names = read_object_names(finished.layout)
    return rank(finished, errors, names, count)


def _summary(output: Path, report: SuggestReport, by: str) -> str:
    videos = "1 video" if report.videos == 1 else f"{report.videos} videos"
    text = f"{output}: {videos}, {report.frames} frames, {report.given} given"
    if report.estimated_j is None or report.estimated_after is None:
        lacking = report.given and by == "error"
        return f"{text}; no label lies between two others: by confidence only" if lacking else text
    return (
        f"{text}; estimated J {report.estimated_j:.3f}, with these {len(report.suggestions)} "
        f"{report.estimated_after:.3f} (estimates from {report.hidden} hidden labels)"
    )


def _export(
    finished: Finished,
    sources: Mapping[str, FrameSource],
    suggestions: Sequence[Suggestion],
    config: SuggestConfig,
    on_event: OnEvent,
) -> list[str]:
    """Write the pictures, and their masks as drafts; lines about those that are not written."""
    folder = Path(config.export)
    losses: list[str] = []
    frames: dict[str, list[Suggestion]] = {}
    for each in suggestions:
        frames.setdefault(each.video, []).append(each)
    if not config.overwrite:
        refuse_existing(
            path for video, own in frames.items() for path in _drafts(folder, config.to, video, own)
        )
    for video, own in frames.items():
        for frame in sources[video].select({each.index for each in own}):
            write_picture(folder, video, frame, overwrite=config.overwrite)
        losses += tell_losses(sources[video], on_event)
    for video, own in frames.items():
        if config.to:
            _write_drafts(finished, folder, config.to, video, own)
    _tell_next(
        config, list(frames), f"the command of {finished.layout.root} again, with --update and", on_event
    )
    return losses


def _drafts(folder: Path, to: str, video: str, frames: Sequence[Suggestion]) -> list[Path]:
    """The files of the drafts of a video."""
    if not to:
        return []
    target = _target(folder, to, video)
    if to in SUFFIXES:
        return [target]
    suffix = ".json" if to in BESIDE else ".png"
    return [target / f"{each.frame}{suffix}" for each in frames]


def _target(folder: Path, to: str, video: str) -> Path:
    """What `convert` is told to write for a video."""
    pictures = pictures_folder(folder, video)
    if to in BESIDE:
        return pictures
    return folder / to / f"{pictures.name}{SUFFIXES.get(to, '')}"


def _write_drafts(
    finished: Finished, folder: Path, to: str, video: str, frames: Sequence[Suggestion]
) -> None:
    convert = ConvertConfig(
        source=finished.layout.root,
        output=str(_target(folder, to, video)),
        to=to,
        video=video,
        overwrite=True,  # what must not be was refused before
    )
    run_convert(convert, pictures=".png", only={each.frame for each in frames})


def _tell_next(config: SuggestConfig, videos: Sequence[str], command: str, on_event: OnEvent) -> None:
    """What to draw, and the command that takes it."""
    folder = Path(config.export)
    name = videos[0] if len(videos) == 1 else "<video>"
    pictures = folder / "images" / name
    masks = folder / ("images" if config.to in BESIDE else config.to or "masks")
    how = f"draw a mask for each picture in {pictures}, save it under the same name in {masks / name}"
    if config.to:
        how = f"correct the drafts in {masks}, whose pictures lie in {pictures}"
    on_event(Event("notice", message=f"{how}, then: {command} --masks {shell_word(masks)}"))
