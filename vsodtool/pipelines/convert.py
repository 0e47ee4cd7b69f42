"""`vsodtool convert`: labels of an OUT folder, or annotations of another tool, in another format."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, fields, replace
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias

from vsodtool.config import AnnotationConfig, CommonConfig, ConvertConfig
from vsodtool.errors import DataError, UsageError
from vsodtool.media.annotations.label_images import (
    Reading,
    describe_overlaps,
    read_labels,
)
from vsodtool.media.annotations.model import (
    Annotations,
    FrameKey,
    FrameLabels,
    VideoLabels,
)
from vsodtool.media.annotations.objects import VideoObjects, identify
from vsodtool.media.annotations.table import FORMATS
from vsodtool.media.folders import frame_name
from vsodtool.media.masks.encoding import MaskEncoding
from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.pipelines.converting.of_output import categories_of, labels_of_output, no_video, shape_of
from vsodtool.pipelines.converting.writing import MASKS, write
from vsodtool.pipelines.running.given_masks import Target
from vsodtool.pipelines.running.reading import reading_of
from vsodtool.types import Event, LabelArray, OnEvent, ignore_event

Overlaps: TypeAlias = dict[str, dict[str, int]]  # video -> frame -> pixels of objects that others cover


@dataclass(frozen=True)
class ConvertReport:
    """What was converted.

    Attributes:
        source: as given.
        output: what was written, "" after a check.
        format: its format.
        videos: number of videos.
        frames: number of frames.
        objects: names of the objects.
        masks: number of masks, one for each object of a frame.
        lossless: whether exactly what was there was written.
        hint: how to take it into its tool.
    """

    source: str
    output: str
    format: str
    videos: int
    frames: int
    objects: list[str] = field(default_factory=list)
    masks: int = 0
    lossless: bool = True
    hint: str = ""

    def as_dict(self) -> dict[str, Any]:
        """In JSON types."""
        return asdict(self)


def run_convert(
    config: ConvertConfig,
    *,
    pictures: str = "",
    only: Collection[str] | None = None,
    on_event: OnEvent = ignore_event,
) -> ConvertReport:
    """Convert labels.

    Args:
        config: what to do.
        pictures: suffix of pictures of the frames, as ".png", that the labels of an OUT folder are for; ""
            are the frames that it was made of.
        only: names of the frames of an OUT folder that are written, instead of those that `frames` says.
        on_event: hears how entries were matched, what the format has no word for, and how to take the result
            into its tool.

    Raises:
        UsageError: the output exists, or the format holds one video and there are several; options of
            annotations are given with an OUT folder, or the other way round.
        DataError: the labels are missing or wrong, or do not fit the inputs.
        DeviceError: the output cannot be written.
    """
    overlaps: Overlaps = defaultdict(dict)
    stored: dict[str, MaskEncoding] | None = None
    if (config.source / "manifest.json").is_file():
        _refuse_reading(config)
        annotations, stored = labels_of_output(config, pictures, only, on_event)
    else:
        annotations = _of_annotations(config, overlaps, on_event)
    frames = [frame for video in annotations.videos for frame in video.frames]
    names = list(dict.fromkeys(shape.category for frame in frames for shape in frame.shapes))
    masks = sum(len(frame.shapes) for frame in frames)
    report = ConvertReport(
        str(config.source), "", config.to, len(annotations.videos), len(frames), names, masks
    )
    if not frames:
        raise DataError(
            f"{config.source}: expected frames to convert, found none that were asked for",
            "change --frames, --min-confidence or --max-confidence"
            if stored is not None
            else "say --empty given if frames without shapes are meant to be empty",
        )
    if config.check or config.dry_run:
        for shape, size in ((shape, frame.key.size) for frame in frames for shape in frame.shapes):
            if size is not None:
                shape.draw(size)  # what cannot be drawn is found out here, not after an hour
        lossless, hint = True, ""
    else:
        lossless, hint = write(annotations, Path(config.output), config, stored or {}, on_event)
    merged = _merged(annotations, config)
    if merged:
        lossless = False
        on_event(Event("notice", message=merged))
    counts = {video: list(covered.values()) for video, covered in overlaps.items()}
    for line in (*describe_overlaps(counts), *filter(None, [hint])):
        on_event(Event("notice", message=line))
    if config.check or config.dry_run:
        return report
    return replace(report, output=config.output, lossless=lossless, hint=hint)


def _refuse_reading(config: ConvertConfig) -> None:
    """Refuse options of annotations, which would say nothing of an OUT folder."""
    usual = ConvertConfig(source=config.source, check=True)
    common = {each.name for each in fields(CommonConfig)}
    names = ["input", *(each.name for each in fields(AnnotationConfig) if each.name not in common)]
    given = [name for name in names if getattr(config, name) != getattr(usual, name)]
    if given:
        raise UsageError(
            f"--{given[0].replace('_', '-')} is about annotations of another tool, found an OUT folder: "
            f"{config.source}",
            "leave it out; --frames, --video and --max-confidence choose what of OUT is written",
        )


def _merged(annotations: Annotations, config: ConvertConfig) -> str:
    """Which things become one as the format knows classes only, a line; "" for none."""
    entry = next((entry for entry in FORMATS if entry.name == config.to), None)
    if entry is None or not entry.of_classes:
        return ""
    for video in annotations.videos:
        tracks: dict[str, set[str]] = defaultdict(set)
        for shape in (shape for frame in video.frames for shape in frame.shapes):
            if shape.track is not None:
                tracks[shape.category].add(shape.track)
        many = {name: len(found) for name, found in tracks.items() if len(found) > 1}
        if many:
            name, number = next(iter(many.items()))
            return (
                f"{entry.title} has no word for who is who: {number} of '{name}'"
                f"{f' in {video.name}' if video.name else ''} become one class; "
                "--objects track makes each a class of its own"
            )
    return ""


def _of_annotations(config: ConvertConfig, overlaps: Overlaps, on_event: OnEvent) -> Annotations:
    """Annotations of another tool: matched to inputs where there are some, else as the file has them."""
    if config.frames != "all" or (config.min_confidence, config.max_confidence) != (0.0, 1.0):
        raise UsageError(
            "--frames, --min-confidence and --max-confidence choose frames of an OUT folder, "
            f"found annotations: {config.source}",
            "leave them out",
        )
    reading = reading_of(config)
    if not config.input:
        annotations = _chosen(reading.read(config.source), reading, config.video)
        unsized = [frame for video in annotations.videos for frame in video.frames if frame.key.size is None]
        if unsized and not config.check:
            raise UsageError(
                f"{config.source} does not say how large {unsized[0].key} is", "give the video with --input"
            )
        annotations = _said(annotations, config, on_event)
        if (_is_of_objects(config.to) or config.objects != "auto") and not unsized:
            return _as_objects(annotations, reading, overlaps)
        return annotations
    sources = [open_frames(video) for video in discover_videos(list(config.input), on_event=on_event)]
    targets = [Target(source) for source in sources]
    labelled = read_labels(config.source, targets, reading)
    for line in labelled.describe():
        on_event(Event("notice", message=line))
    if config.video and config.video not in labelled.videos:
        raise no_video(config, list(labelled.videos))
    videos = []
    for target, source in zip(targets, sources, strict=True):
        if config.video not in ("", target.name):
            continue
        position = {name: place for place, name in enumerate(target.names)}
        files = {frame_name(file): file.name for file in source.video.files}
        painted = _Painted(target.name, labelled.objects[target.name], overlaps)
        frames = [
            painted.frame(frame, FrameKey(files.get(name, f"{name}.jpg"), position[name], target.size))
            for name, frame in labelled.videos[target.name].frames.items()
        ]
        videos.append(VideoLabels(target.name, tuple(frames), len(target.names), target.is_file))
    infos = [info for video in videos for info in labelled.objects[video.name].infos]
    return Annotations(str(config.source), labelled.annotations.format, tuple(videos), categories_of(infos))


def _is_of_objects(name: str) -> bool:
    """Whether a format holds objects, not shapes; label images do."""
    return name == MASKS or any(entry.of_objects for entry in FORMATS if entry.name == name)


def _said(annotations: Annotations, config: ConvertConfig, on_event: OnEvent) -> Annotations:
    """Without frames that say nothing, where the format would have them say that nothing is there."""
    entry = next((entry for entry in FORMATS if entry.name == config.to), None)
    if not (_is_of_objects(config.to) or (entry is not None and entry.bare_is_empty)):
        return annotations
    videos = [
        replace(video, frames=tuple(frame for frame in video.frames if frame.shapes or frame.empty))
        for video in annotations.videos
    ]
    count = sum(len(video.frames) for video in annotations.videos) - sum(len(each.frames) for each in videos)
    if count:
        frames = "1 frame without shapes says" if count == 1 else f"{count} frames without shapes say"
        text = f"{frames} nothing, left out: --empty given writes that nothing is there"
        on_event(Event("notice", message=text))
    return replace(annotations, videos=tuple(videos))


def _chosen(annotations: Annotations, reading: Reading, name: str) -> Annotations:
    """Of the video that --video names, if it does, the shapes of the classes that count.

    Where there are shapes, but of other classes only, there is nothing: as in masks drawn from the file.
    """
    rule, given = reading.objects, reading.match.empty == "given"
    videos = [video for video in annotations.videos if not name or video.name == name]
    if not videos:
        known = ", ".join(video.name or "unnamed" for video in annotations.videos[:5])
        raise DataError(
            f"{annotations.source}: expected the video '{name}', found {known}",
            "check the name given with --video",
        )
    chosen = []
    for video in videos:
        tracks = _numbered_tracks(video)
        frames = tuple(
            replace(
                frame,
                key=_named(frame.key),
                shapes=tuple(
                    replace(shape, track=tracks.get(shape.track or "", shape.track))
                    for shape in rule.chosen(frame)
                ),
                empty=frame.empty
                or (not rule.chosen(frame) and (bool(frame.shapes) or (given and frame.listed))),
            )
            for frame in video.frames
        )
        is_file = all(not frame.key.name for frame in video.frames)
        chosen.append(replace(video, frames=frames, is_file=video.is_file or is_file))
    return replace(annotations, videos=tuple(chosen))


def _numbered_tracks(video: VideoLabels) -> dict[str, str]:
    """Numbers for the tracks that have other words, which formats of numbers would drop."""
    shapes = [shape for frame in video.frames for shape in frame.shapes if shape.track]
    taken = {shape.number for shape in shapes}
    free = (number for number in count(1) if number not in taken)
    words = dict.fromkeys(shape.track for shape in shapes if shape.track and shape.number is None)
    return {word: str(next(free)) for word in words}


def _named(key: FrameKey) -> FrameKey:
    """With a name, where the file only numbers its frames: that of the same frame of a video file here."""
    return key if key.name or key.number is None else replace(key, name=f"{key.number:05d}.jpg")


def _as_objects(annotations: Annotations, reading: Reading, overlaps: Overlaps) -> Annotations:
    """The same with an object for each shape that counts."""
    said = [video.frames for video in annotations.videos]
    objects = identify(
        {str(place): frames for place, frames in enumerate(said)}, annotations.categories, reading.objects
    )
    videos = []
    for place, video in enumerate(annotations.videos):
        painted = _Painted(video.name, objects[str(place)], overlaps)
        frames = tuple(painted.frame(frame, frame.key) for frame in said[place])
        videos.append(replace(video, frames=frames))
    infos = [info for known in objects.values() for info in known.infos]
    return replace(annotations, videos=tuple(videos), categories=categories_of(infos))


@dataclass(frozen=True)
class _Painted:
    """The frames of a video as label images, of which one at a time is kept."""

    video: str
    objects: VideoObjects
    overlaps: Overlaps

    def frame(self, frame: FrameLabels, key: FrameKey) -> FrameLabels:
        """The objects of a frame, each with the pixels that no upper one covers."""

        def paint() -> LabelArray:
            labels, covered = self.objects.paint_and_count(frame, key.known_size)
            self.overlaps[self.video][str(key)] = covered
            return labels

        label = lru_cache(1)(paint)
        present = self.objects.present(frame)
        place = frame.shapes[0].place if frame.shapes else str(key)
        shapes = [shape_of(label, info, place) for info in self.objects.infos if info.id in present]
        return FrameLabels(key, tuple(shapes), empty=not shapes)
