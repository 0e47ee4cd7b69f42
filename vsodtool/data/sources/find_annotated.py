"""Annotation files as training data: with their images beside them, or with the pictures that are named."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath

from vsodtool.data.sources.faults import Faults
from vsodtool.data.sources.found import FoundVideo, folder_video, frame_names
from vsodtool.data.sources.source_text import AnnotatedSource
from vsodtool.errors import DataError
from vsodtool.media.annotations.label_images import Labelled, Reading, label_png
from vsodtool.media.annotations.mapping import Matched, match_annotations
from vsodtool.media.annotations.model import Annotations, FrameKey, FrameLabels
from vsodtool.media.annotations.objects import ObjectRule, identify
from vsodtool.media.annotations.shapes import wrong_size
from vsodtool.media.annotations.source import Source
from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.media.folders import IMAGE_SUFFIXES, frame_name, same_name
from vsodtool.media.images import read_image_size
from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import VideoInput, discover_videos

# Where the images of a single file are looked for: beside it, and beside its folder.
_PLACES = ("", "images", "JPEGImages", "..", "../images", "../JPEGImages")
_NO_IMAGES = ("SegmentationClass", "SegmentationObject")


def find_annotated(
    source: AnnotatedSource, reading: Reading, cache: Path, faults: Faults
) -> tuple[list[FoundVideo], list[str]]:
    """The videos, or sets of images, that an annotation file is about; and lines about what was found.

    All objects of a frame are one, so nothing is refused for not saying who is who.

    Args:
        source: the annotations, and the pictures if they are named.
        reading: how to read the annotations.
        cache: folder for label images, and for the images of a zip; what is there already is kept.
        faults: told of labels without an image.

    Raises:
        DataError: the annotations are wrong, or do not fit their images, or there is no image at all.
        DeviceError: `cache` cannot be written.
    """
    reading = replace(reading, objects=ObjectRule("single", reading.objects.classes))
    annotations = reading.read(source.annotations)
    own = cache / f"annotations-{_fingerprint(source.annotations, reading)[:12]}"
    ignored: Mapping[str, int] = {}
    if source.images is None:
        found = _beside(annotations, source.annotations, reading, own, faults)
    else:
        found, ignored = _named(annotations, source.images, reading)
    matched = {str(place): labels for place, (_, labels) in enumerate(found)}
    frames = {place: list(labels.frames.values()) for place, labels in matched.items()}
    objects = identify(frames, annotations.categories, reading.objects)
    videos = []
    for place, (video, labels) in enumerate(found):
        size = None if video.kind == "folder" else open_frames(video).size
        files = {frame_name(file): file for file in video.files}
        masks = {}
        for name, frame in labels.frames.items():
            expected = size or read_image_size(files[name])
            if frame.key.size not in (None, expected):
                raise wrong_size(f"{annotations.source}: {frame.key}", frame.key.size, expected)
            masks[name] = own / "labels" / str(place) / f"{name}.png"
            if not masks[name].is_file():
                write_bytes_atomically(masks[name], label_png(objects[str(place)], frame, expected)[0])
        stills = None if video.kind == "folder" and (source.images is None or len(found) == 1) else False
        stills = source.reading == "stills" if source.reading else stills
        videos.append(FoundVideo(video, frame_names(video), masks, stills=stills))
    titled = {videos[int(place)].video.name: labels for place, labels in matched.items()}
    named = {videos[int(place)].video.name: known for place, known in objects.items()}
    return videos, Labelled(annotations, titled, named, ignored).describe()


def _named(
    annotations: Annotations, images: Path, reading: Reading
) -> tuple[list[tuple[VideoInput, Matched]], Mapping[str, int]]:
    """The labels of videos that were named."""
    videos = discover_videos([str(images)])
    targets = [_Target(video) for video in videos]
    mapping = match_annotations(annotations, targets, reading.match, every=False)
    found = [(video, mapping.videos[video.name]) for video in videos if video.name in mapping.videos]
    return found, mapping.ignored


@dataclass(frozen=True)
class _Target:
    """A video as annotations are matched to it; sizes are those of its pictures, one by one."""

    video: VideoInput
    size: None = None

    @property
    def name(self) -> str:
        return self.video.name

    @cached_property
    def names(self) -> Sequence[str]:
        return frame_names(self.video)

    @property
    def is_file(self) -> bool:
        return self.video.kind == "file"


def _beside(
    annotations: Annotations, path: Path, reading: Reading, own: Path, faults: Faults
) -> list[tuple[VideoInput, Matched]]:
    """The labels of images that lie where the annotations lie: a folder of images is a video or a set."""
    images = _Images(path, own / "images")
    folders: dict[Path, dict[Path, FrameLabels]] = defaultdict(dict)
    lacking: list[str] = []
    for place, video in enumerate(annotations.videos):
        for frame in video.frames:
            if not (frame.shapes or frame.empty or reading.match.empty == "given"):
                continue
            file = images.find(frame.key, video.name, place)
            if file is None:
                lacking.append(str(frame.key))
            elif folders[file.parent].setdefault(file, frame) is not frame:
                raise DataError(
                    f"{path}: expected one entry for the image {file}, found "
                    f"{folders[file.parent][file].key} and {frame.key}",
                    "remove one of the two",
                )
    if not any(folders.values()):
        what = f"none, not even {lacking[0]}" if lacking else "no labelled frame"
        raise DataError(
            f"{path}: expected annotations with their images beside them (or in images/), found {what}",
            f"put the images there, or name them: --data IMAGES::{path}",
        )
    faults.add(f"label without its image beside {path.name}", *lacking)
    found = []
    for folder, labels in folders.items():
        pictures = folder_video(folder.name, folder, sorted(labels) if images.unpacked else None)
        named = {frame_name(file): labels[file] for file in pictures.files if file in labels}
        found.append((pictures, Matched(named, "by image")))
    return found


class _Images:
    """The images beside annotations."""

    def __init__(self, path: Path, cache: Path) -> None:
        self._path, self._cache = path, cache
        self._source = None if Source(path).is_file else Source(path)
        self.unpacked = self._source is not None and path.is_file()
        self._members: dict[str, list[PurePosixPath]] = defaultdict(list)
        for name in self._source.names if self._source is not None else ():
            member = PurePosixPath(name)
            if member.suffix.lower() in IMAGE_SUFFIXES and not set(_NO_IMAGES) & set(member.parts):
                self._members[same_name(member.stem)].append(member)

    def find(self, key: FrameKey, video: str, place: int) -> Path | None:
        """The image that is meant, None if there is none.

        Args:
            key: which.
            video: the name of its video in the file.
            place: of the video in the file.

        Raises:
            DataError: there are several.
        """
        parts = [part for part in PurePosixPath(key.name.replace("\\", "/")).parts if part not in ("/", "..")]
        if not parts:
            return None
        if self._source is None:
            return self._beside_file(parts, video)
        # A name without a suffix, as YOLO's, may hold dots of its own.
        members = self._members.get(key.stem) or self._members.get(same_name(parts[-1])) or []
        for wanted in (tuple(parts[:-1]), (video,)):
            if len(members) > 1:
                closer = [one for one in members if set(wanted) <= set(one.parts[:-1])]
                members = closer or members
        if len(members) > 1:
            raise DataError(
                f"{self._path}: expected one image for {key}, found {members[0]} and {members[1]}",
                f"name the images: --data IMAGES::{self._path}",
            )
        if not members:
            return None
        if not self.unpacked:
            return self._path / members[0]
        # Never by the path in the zip, which may lead anywhere.
        file = self._cache / str(place) / members[0].name.replace("\\", "_")
        if not file.is_file():
            write_bytes_atomically(file, self._source.read(members[0].as_posix()))
        return file

    def _beside_file(self, parts: Sequence[str], video: str) -> Path | None:
        suffixes = (
            [""] if PurePosixPath(parts[-1]).suffix.lower() in IMAGE_SUFFIXES else sorted(IMAGE_SUFFIXES)
        )
        ways = [Path(*parts), Path(video, parts[-1]), Path(parts[-1])]
        candidates = (
            self._path.parent / place / f"{way}{suffix}"
            for place in _PLACES
            for way in ways
            for suffix in suffixes
        )
        return next((file for file in candidates if file.is_file()), None)


def _fingerprint(path: Path, reading: Reading) -> str:
    """Changes when the annotations do, or how they are read."""
    digest = hashlib.sha256(repr(reading).encode())
    files = [path] if path.is_file() else [path / name for name in Source(path).names]
    for file in files:
        state = file.stat()
        digest.update(f"{file}\n{state.st_size} {state.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
