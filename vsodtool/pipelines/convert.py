"""`vsodtool convert`: labels of an OUT folder, or annotations of another tool, in another format."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from itertools import count
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, TypeAlias

import numpy as np

from vsodtool.config import ConvertConfig
from vsodtool.errors import DataError, UsageError
from vsodtool.media.annotations.label_images import (
    Reading,
    describe_overlaps,
    palette_of,
    read_labels,
    room_for,
)
from vsodtool.media.annotations.model import (
    Annotations,
    Category,
    FrameKey,
    FrameLabels,
    Shape,
    VideoLabels,
)
from vsodtool.media.annotations.objects import ObjectInfo, ObjectRule, VideoObjects, identify, unnamed
from vsodtool.media.annotations.runs import MaskArray
from vsodtool.media.annotations.table import FORMATS, Format
from vsodtool.media.atomic import atomic_path, disk_errors, write_bytes_atomically
from vsodtool.media.folders import frame_name
from vsodtool.media.masks.encoding import MaskEncoding, detect_with_corrections
from vsodtool.media.masks.plane_png import encode_plane_png
from vsodtool.media.masks.reading import read_raw_mask
from vsodtool.media.masks.statistics import summarise
from vsodtool.media.output.finished_run import read_finished_run
from vsodtool.media.output.frames_csv import read_rows_by_video
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import InputEntry
from vsodtool.media.output.object_names import read_object_names
from vsodtool.media.regular_file import read_regular
from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.pipelines.reviewing.notes import parse_notes
from vsodtool.pipelines.running.given_masks import Target
from vsodtool.pipelines.running.reading import reading_of
from vsodtool.types import Event, FrameRecord, FrameStatus, LabelArray, OnEvent, Size, ignore_event

MASKS = "masks"
_ESCAPED = "backslashreplace"  # names that are not UTF-8 on the disk: JSON reads them back
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
    config: ConvertConfig, *, pictures: str = "", on_event: OnEvent = ignore_event
) -> ConvertReport:
    """Convert labels.

    Args:
        config: what to do.
        pictures: suffix of pictures of the frames, as ".png", that the labels of an OUT folder are for; ""
            are the frames that it was made of.
        on_event: hears how entries were matched, and how to take the result into its tool.

    Raises:
        UsageError: the output exists, or the format holds one video and there are several.
        DataError: the labels are missing or wrong, or do not fit the inputs.
        DeviceError: the output cannot be written.
    """
    overlaps: Overlaps = defaultdict(dict)
    stored: dict[str, MaskEncoding] = {}
    if (config.source / "manifest.json").is_file():
        annotations, stored = _of_output(config, pictures)
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
            "change --frames, --min-confidence or --max-confidence",
        )
    if config.check or config.dry_run:
        for shape, size in ((shape, frame.key.size) for frame in frames for shape in frame.shapes):
            if size is not None:
                shape.draw(size)  # what cannot be drawn is found out here, not after an hour
        lossless, hint = True, ""
    else:
        lossless, hint = _write(annotations, Path(config.output), config, stored)
    counts = {video: list(covered.values()) for video, covered in overlaps.items()}
    for line in (*describe_overlaps(counts), *filter(None, [hint])):
        on_event(Event("notice", message=line))
    if config.check or config.dry_run:
        return report
    return replace(report, output=config.output, lossless=lossless, hint=hint)


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
        annotations = _chosen(reading.read(config.source), reading.objects, config.video)
        unsized = [frame for video in annotations.videos for frame in video.frames if frame.key.size is None]
        if unsized and not config.check:
            raise UsageError(
                f"{config.source} does not say how large {unsized[0].key} is", "give the video with --input"
            )
        if _is_of_objects(config.to) and not unsized:
            return _as_objects(annotations, reading, overlaps)
        return annotations
    sources = [open_frames(video) for video in discover_videos(list(config.input), on_event=on_event)]
    targets = [Target(source) for source in sources]
    labelled = read_labels(config.source, targets, reading)
    for line in labelled.describe():
        on_event(Event("notice", message=line))
    videos = []
    for target, source in zip(targets, sources, strict=True):
        position = {name: place for place, name in enumerate(target.names)}
        files = {frame_name(file): file.name for file in source.video.files}
        painted = _Painted(target.name, labelled.objects[target.name], overlaps)
        frames = [
            painted.frame(frame, FrameKey(files.get(name, f"{name}.jpg"), position[name], target.size))
            for name, frame in labelled.videos[target.name].frames.items()
        ]
        videos.append(VideoLabels(target.name, tuple(frames), len(target.names), target.is_file))
    infos = [info for objects in labelled.objects.values() for info in objects.infos]
    return Annotations(str(config.source), labelled.annotations.format, tuple(videos), _categories(infos))


def _is_of_objects(name: str) -> bool:
    """Whether a format holds objects, not shapes; label images do."""
    return name == MASKS or any(entry.of_objects for entry in FORMATS if entry.name == name)


def _chosen(annotations: Annotations, rule: ObjectRule, name: str) -> Annotations:
    """Of the video that --video names, if it does, the shapes of the classes that count."""
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
    """The same with an object for each shape that counts, and frames that say something only."""
    said = [
        [
            frame
            for frame in video.frames
            if frame.shapes or frame.empty or (frame.listed and reading.match.empty == "given")
        ]
        for video in annotations.videos
    ]
    objects = identify(
        {str(place): frames for place, frames in enumerate(said)}, annotations.categories, reading.objects
    )
    videos = []
    for place, video in enumerate(annotations.videos):
        painted = _Painted(video.name, objects[str(place)], overlaps)
        frames = tuple(painted.frame(frame, frame.key) for frame in said[place])
        videos.append(replace(video, frames=frames))
    infos = [info for known in objects.values() for info in known.infos]
    return replace(annotations, videos=tuple(videos), categories=_categories(infos))


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
        shapes = [_shape(label, info, place) for info in self.objects.infos if info.id in present]
        return FrameLabels(key, tuple(shapes), empty=not frame.shapes)


def _of_output(config: ConvertConfig, pictures: str) -> tuple[Annotations, dict[str, MaskEncoding]]:
    """The labels of an OUT folder, and how its masks of several objects are stored, by video."""
    layout = OutputLayout(config.source)
    manifest = read_finished_run(layout, ("pseudolabel", "predict"))
    rows = read_rows_by_video(layout.frames_csv)
    if config.video and config.video not in rows:
        raise DataError(
            f"{config.source}: expected the video '{config.video}', found {', '.join(list(rows)[:5])}",
            "check the name given with --video",
        )
    chosen = [config.video] if config.video else list(rows)
    named = read_object_names(layout)
    videos, infos, stored = [], [], {}
    for video in chosen:
        labels = _VideoOutput(layout, video, rows[video], named.get(video, {}), manifest.void)
        wanted = _wanted(config, layout, rows[video])
        names = _frame_files(manifest.inputs.get(video))
        if pictures:
            names = {row.frame: f"{row.frame}{pictures}" for row in rows[video]}
        videos.append(labels.read(names, wanted))
        infos += labels.infos
        if len(labels.infos) > 1:
            stored[video] = labels.encoding
    made = Annotations(str(config.source), manifest.command, tuple(videos), _categories(infos))
    return made, stored


class _VideoOutput:
    """The masks of one video in an OUT folder.

    Attributes:
        encoding: how they are stored.
        infos: of the objects that occur, by id.
    """

    def __init__(
        self,
        layout: OutputLayout,
        video: str,
        rows: Sequence[FrameRecord],
        named: dict[int, ObjectInfo],
        void: str,
    ) -> None:
        self._layout, self._video, self._rows = layout, video, rows
        made = [row for row in rows if row.status is not FrameStatus.SKIPPED]
        files = [layout.masks(video, row.frame) for row in made]
        lacking = next((file for file in files if not file.is_file()), None)
        if lacking is not None or not files:
            raise DataError(
                f"{lacking or layout.root}: expected a mask, found none",
                "predict writes masks with --masks; a mask that was deleted is made again by its command",
            )
        own = [summarise(file, read_raw_mask(file)) for file in files]
        # Corrections may be stored otherwise, and hold objects that the run does not know yet.
        corrected = [file for row in made if (file := layout.correction(video, row.frame)).is_file()]
        others = [summarise(file, read_raw_mask(file)) for file in corrected]
        self.encoding, known = detect_with_corrections(own, others, void)
        drawn = {number for file in corrected for number in np.unique(_read(file, self.encoding)).tolist()}
        ids = sorted({*known, *drawn} - {0})
        words = {number: unnamed(number, alone=len(ids) == 1) for number in ids}
        self.infos = [named.get(number) or ObjectInfo(number, word, word) for number, word in words.items()]

    def read(self, names: Mapping[str, str] | None, wanted: set[str]) -> VideoLabels:
        """The labels of the frames that are wanted.

        Args:
            names: frame -> file; None for a video file, whose frames have numbers.
            wanted: names of frames.
        """
        frames = []
        for number, row in enumerate(self._rows):
            if row.status is FrameStatus.SKIPPED or row.frame not in wanted:
                continue
            correction = self._layout.correction(self._video, row.frame)
            path = correction if correction.is_file() else self._layout.masks(self._video, row.frame)
            label = lru_cache(1)(lambda path=path: _read(path, self.encoding))
            score = row.confidence if row.status is FrameStatus.GENERATED else None
            present = set(np.unique(label()).tolist())
            shapes = [_shape(label, info, str(path), score) for info in self.infos if info.id in present]
            size: Size = (label().shape[0], label().shape[1])
            label.cache_clear()
            key = FrameKey((names or {}).get(row.frame, f"{row.frame}.jpg"), number, size)
            frames.append(FrameLabels(key, tuple(shapes), empty=not shapes))
        return VideoLabels(self._video, tuple(frames), len(self._rows), names is None)


def _read(path: Path, encoding: MaskEncoding) -> LabelArray:
    return encoding.read_written(read_raw_mask(path))


def _shape(label: Any, info: ObjectInfo, place: str, score: float | None = None) -> Shape:
    def draw(_: Size) -> MaskArray:
        drawn: MaskArray = label() == info.id
        return drawn

    return Shape(info.name, draw, place, track=str(info.id), score=score)


def _categories(infos: Sequence[ObjectInfo]) -> tuple[Category, ...]:
    return tuple({info.name: Category(info.name, info.color, str(info.id)) for info in infos}.values())


def _frame_files(entry: InputEntry | None) -> dict[str, str] | None:
    """Frame name -> name of its file; None for a video file, whose frames have numbers."""
    if entry is None:
        return {}
    path = Path(entry.path)
    if path.is_file():
        return None
    return {file.stem: file.name for file in path.iterdir()} if path.is_dir() else {}


def _wanted(config: ConvertConfig, layout: OutputLayout, rows: Sequence[FrameRecord]) -> set[str]:
    """The names of the frames that were asked for."""
    which = config.frames
    if which in ("given", "generated"):
        chosen = {row.frame for row in rows if row.status == which}
    elif which == "corrected":
        chosen = {row.frame for row in rows if layout.correction(row.video, row.frame).is_file()}
    elif which.startswith("every:"):
        chosen = {row.frame for row in rows[:: int(which.removeprefix("every:"))]}
    elif which == "all":
        chosen = {row.frame for row in rows}
    else:
        chosen = _listed(Path(which), rows)
    low, high = config.min_confidence, config.max_confidence
    kept = {
        row.frame
        for row in rows
        if (row.status is FrameStatus.GIVEN and (low, high) == (0.0, 1.0)) or low <= row.confidence <= high
    }
    return chosen & kept


def _listed(path: Path, rows: Sequence[FrameRecord]) -> set[str]:
    """Those of a list, or those that are flagged in a file of the review page."""
    try:
        data = read_regular(path)
        if data.lstrip().startswith(b"{"):
            flagged = {
                (video, frame)
                for video, notes in parse_notes(data, path).items()
                for frame, note in {**notes.known, **notes.frames}.items()
                if note.flag == "bad"
            }
            return {row.frame for row in rows if (row.video, row.frame) in flagged}
        lines = {line.strip() for line in data.decode("utf-8").splitlines() if line.strip()}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"--frames: expected all, given, generated, corrected, every:K or a file of frame names, found "
            f"'{path}'",
            "one frame name, or video/frame, on each line",
        ) from error
    return {row.frame for row in rows if row.frame in lines or f"{row.video}/{row.frame}" in lines}


def _write(
    annotations: Annotations, target: Path, config: ConvertConfig, stored: Mapping[str, MaskEncoding]
) -> tuple[bool, str]:
    """Write all; whether it is exact, and how to take it into its tool."""
    if target.exists() and not config.overwrite and not (target.is_dir() and not any(target.iterdir())):
        raise UsageError(f"{target} exists", "choose another name with -o, or say --overwrite")
    if config.to == MASKS:
        _write_masks(annotations, target, stored)
        return True, ""
    entry = next(entry for entry in FORMATS if entry.name == config.to)
    if entry.one_video and len(annotations.videos) > 1:
        names = ", ".join(video.name for video in annotations.videos[:3])
        raise UsageError(
            f"{entry.title} holds one video, found {len(annotations.videos)} ({names}, ...)",
            "choose one with --video NAME",
        )
    if entry.write_files is not None:
        if config.polygons:
            raise UsageError(f"{entry.title} is written in one way only", "convert without --polygons")
        folder = _Folder(target)
        for name, text in entry.write_files(annotations):
            folder.write(name, text.encode("utf-8", _ESCAPED))
        return entry.lossless, entry.import_hint
    with (
        atomic_path(target) as temporary,
        disk_errors(target),
        temporary.open("w", encoding="utf-8", errors=_ESCAPED) as file,
    ):
        file.writelines(_pieces(entry, annotations, config))
    return entry.lossless and not config.polygons, entry.import_hint.format_map(_words(config))


def _pieces(entry: Format, annotations: Annotations, config: ConvertConfig) -> Iterator[str]:
    write = entry.write_polygons if config.polygons else entry.write
    if write is None:
        with_or_without = "without" if config.polygons else "with"
        raise UsageError(
            f"{entry.title} holds {'masks' if config.polygons else 'polygons'} only",
            f"convert {with_or_without} --polygons",
        )
    return write(annotations, **_words(config)) if entry.names_tags else write(annotations)


def _words(config: ConvertConfig) -> dict[str, str]:
    """What a labelling configuration calls things."""
    return {
        "tag": config.ls_tag,
        "from_name": config.from_name,
        "to_name": config.to_name,
        "image_url": config.image_url,
    }


class _Folder:
    """A folder that files are written into, each once and none beside it, whatever strangers call them."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._written: set[str] = set()

    def write(self, name: str, data: bytes) -> None:
        """Write a file.

        Raises:
            DataError: its name leads out of the folder, or was written before.
            DeviceError: it cannot be written.
        """
        plain = PurePosixPath(name.replace("\\", "/"))
        if plain.is_absolute() or ".." in plain.parts or PureWindowsPath(name).drive:
            raise DataError(
                f"{self._root}: expected names of files within it, found {name!r}",
                "rename the video in the annotations, or give it with --input",
            )
        if name in self._written:
            raise DataError(
                f"{self._root}: expected a name of its own for each file, found {name!r} twice",
                "frames of different folders have one name: convert one video at a time, with --video",
            )
        self._written.add(name)
        write_bytes_atomically(self._root / name, data)


def _write_masks(annotations: Annotations, target: Path, stored: Mapping[str, MaskEncoding]) -> None:
    folder = _Folder(target)
    colors = {category.name: category.color for category in annotations.categories}
    for video in annotations.videos:
        # By video: one name may have another id in each.
        names = {int(shape.track or 1): shape.category for frame in video.frames for shape in frame.shapes}
        infos = [ObjectInfo(number, name, name, "", colors.get(name, "")) for number, name in names.items()]
        palette, encoding = palette_of(infos), room_for(infos, stored.get(video.name))
        for frame in video.frames:
            labels = np.zeros(frame.key.known_size, np.uint16)
            for shape in frame.shapes:
                labels[shape.draw(frame.key.known_size)] = int(shape.track or 1)
            stem = frame.key.stem or f"{frame.key.number or 0:05d}"
            if encoding is not None:
                data = encoding.encode(labels)
            else:
                narrow = labels.astype(np.uint8)
                data = encode_plane_png(labels) if palette is None else encode_plane_png(narrow, palette)
            where = f"{video.name}/" if len(annotations.videos) > 1 else ""
            folder.write(f"{where}{stem}.png", data)
