"""Annotations as label images: a folder with a palette PNG for each labelled frame, of object ids.

Everything that reads masks reads annotation files by way of these. One frame is drawn at a time, so memory
does not grow with their number.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from vsodtool.errors import DataError
from vsodtool.media.annotations.mapping import Matched, MatchRule, Target, match_annotations
from vsodtool.media.annotations.model import Annotations, FrameLabels, ReadOptions
from vsodtool.media.annotations.objects import ObjectInfo, ObjectRule, VideoObjects, identify, join_objects
from vsodtool.media.annotations.reading import read_annotations
from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.media.masks.encoding import MaskEncoding
from vsodtool.media.masks.plane_png import Palette, encode_plane_png
from vsodtool.media.regular_file import read_regular
from vsodtool.types import Size

_LARGEST_PALETTE_ID = 254  # 255 is the void of palettes
_COLOUR = re.compile("#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class Reading:
    """How annotation files become label images.

    Attributes:
        format: a name of the table, or "auto".
        options: of reading.
        match: how frames are found.
        objects: how shapes become objects.
    """

    format: str = "auto"
    options: ReadOptions = field(default_factory=ReadOptions)
    match: MatchRule = field(default_factory=MatchRule)
    objects: ObjectRule = field(default_factory=ObjectRule)

    def read(self, path: Path) -> Annotations:
        """What a file, folder or zip says.

        Raises:
            DataError: it is wrong, or has no shape of one of the classes.
        """
        annotations = read_annotations(path, self.format, self.options)
        known = {
            shape.category for video in annotations.videos for frame in video.frames for shape in frame.shapes
        }
        if self.objects.classes - known:
            raise DataError(
                f"{path}: expected the classes {', '.join(sorted(self.objects.classes))}, "
                f"found {', '.join(sorted(known)) or 'no shapes'}",
                "check the names given with --classes",
            )
        return annotations


@dataclass(frozen=True)
class Labelled:
    """What an annotation file says about the inputs.

    Attributes:
        annotations: as read.
        videos: the labelled frames of each input.
        objects: the objects of each input.
        ignored: video that is no input -> how many frames it has.
    """

    annotations: Annotations
    videos: Mapping[str, Matched]
    objects: Mapping[str, VideoObjects]
    ignored: Mapping[str, int]

    def describe(self) -> list[str]:
        """A line for each input that tells which entries were taken for which frames."""
        source = Path(self.annotations.source).name
        lines, others = [], 0
        for video, matched in self.videos.items():
            frames = list(matched.frames.items())
            (first, at_first), (last, at_last) = frames[0], frames[-1]
            names = ", ".join(info.name for info in self.objects[video].infos[:5]) or "none"
            count = len(self.objects[video].infos)
            shapes = sum(len(self.objects[video].shapes_of(frame)) for _, frame in frames)
            others += sum(len(frame.shapes) for _, frame in frames) - shapes
            lines.append(
                f"{source}: {self.annotations.format}, {_number(len(frames), 'frame')} of '{video}', "
                f"{at_first.key} ... {at_last.key} -> {first} ... {last} ({matched.rule}), "
                f"{_number(count, 'object')} ({names}{', ...' if count > 5 else ''}), "
                f"{_number(shapes, 'shape')}"
            )
        counts = self.annotations.left_out + Counter({"of other classes": others})
        left_out = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        if left_out:
            lines.append(f"{source}: left out: {left_out}")
        if self.ignored:
            count = sum(self.ignored.values())
            lines.append(f"{source}: left out: {_number(count, 'frame')} of videos that are no input")
        return lines


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def read_labels(path: Path, targets: Sequence[Target], reading: Reading, *, every: bool = True) -> Labelled:
    """Read an annotation file and find the frames and objects that it means.

    Args:
        path: a file, folder or zip.
        targets: the inputs.
        reading: how.
        every: every input must have labels; else those without are left out, unless all are.

    Raises:
        DataError: the file is wrong, or does not fit the inputs.
    """
    annotations = reading.read(path)
    mapping = match_annotations(annotations, targets, reading.match, every=every)
    frames = {video: list(matched.frames.values()) for video, matched in mapping.videos.items()}
    objects = identify(frames, annotations.categories, reading.objects)
    return Labelled(annotations, mapping.videos, objects, mapping.ignored)


def join_labels(several: Sequence[Labelled]) -> list[Labelled]:
    """The same annotations, with one set of objects for each video: see `join_objects`."""
    joined: list[dict[str, VideoObjects]] = [{} for _ in several]
    for video in dict.fromkeys(video for labelled in several for video in labelled.objects):
        places = [place for place, labelled in enumerate(several) if video in labelled.objects]
        for place, objects in zip(
            places, join_objects([several[place].objects[video] for place in places]), strict=True
        ):
            joined[place][video] = objects
    return [replace(labelled, objects=objects) for labelled, objects in zip(several, joined, strict=True)]


def write_label_images(
    labelled: Labelled,
    sizes: Mapping[str, Size],
    folder: Path,
    stored: Mapping[str, MaskEncoding] | None = None,
) -> list[str]:
    """Write `folder/<video>/<frame>.png` for every labelled frame; a line for each video with overlaps.

    Args:
        labelled: what to draw.
        sizes: (H, W) of the frames of each input.
        folder: where to.
        stored: how other masks of a video are stored that these lie beside, as far as that holds their ids.

    Raises:
        DataError: a shape cannot be drawn.
        DeviceError: the disk is full.
    """
    overlaps: dict[str, list[int]] = {}
    for video, matched in labelled.videos.items():
        for name, frame in matched.frames.items():
            data, covered = label_png(labelled.objects[video], frame, sizes[video], (stored or {}).get(video))
            write_bytes_atomically(folder / video / f"{name}.png", data)
            overlaps.setdefault(video, []).append(covered)
    return describe_overlaps(overlaps)


def describe_overlaps(overlaps: Mapping[str, Sequence[int]]) -> list[str]:
    """A line for each video in which objects cover others.

    Args:
        overlaps: video -> for each labelled frame, how many pixels are covered.
    """
    return [
        f"{video}: objects overlap in {_number(sum(map(bool, counts)), 'frame')}, {sum(counts)} pixels: "
        "the upper one counts"
        for video, counts in overlaps.items()
        if any(counts)
    ]


def label_png(
    objects: VideoObjects, frame: FrameLabels, size: Size, stored: MaskEncoding | None = None
) -> tuple[bytes, int]:
    """The label image of a frame of a size (H, W) as PNG, and how many pixels of objects others cover.

    It is stored as is said, else it has a palette, unless ids are too large for one.

    Raises:
        DataError: a shape cannot be drawn.
    """
    labels, covered = objects.paint_and_count(frame, size)
    encoding = room_for(objects.infos, stored)
    if encoding is not None:
        return encoding.encode(labels), covered
    palette = palette_of(objects.infos)
    if palette is None:
        return encode_plane_png(labels), covered
    return encode_plane_png(labels.astype(np.uint8), palette), covered


def palette_of(infos: Sequence[ObjectInfo]) -> Palette | None:
    """The file's own colours, those of VOC and DAVIS for objects without; None where ids do not fit."""
    if any(info.id > _LARGEST_PALETTE_ID for info in infos):
        return None
    colours = bytearray(b"".join(voc_colour(number) for number in range(256)))
    for info in infos:
        if _COLOUR.fullmatch(info.color):
            colours[3 * info.id : 3 * info.id + 3] = bytes.fromhex(info.color[1:])
    return Palette(bytes(colours))


def room_for(infos: Iterable[ObjectInfo], stored: MaskEncoding | None) -> MaskEncoding | None:
    """How masks are stored, with a colour for each of these objects; None where their ids have no room."""
    if stored is None:
        return None
    every = b"".join(voc_colour(number) for number in range(256))
    return stored.with_room(max((info.id for info in infos), default=0), every)


def voc_colour(number: int) -> bytes:
    """RGB of an id in VOC's colour map, which DAVIS uses: its bits, spread over the channels from the top."""
    channels = [0, 0, 0]
    for bit in range(8):
        for channel in range(3):
            channels[channel] |= ((number >> (3 * bit + channel)) & 1) << (7 - bit)
    return bytes(channels)


def objects_json(
    several: Sequence[Labelled], added: Mapping[str, Mapping[int, ObjectInfo]] | None = None
) -> bytes:
    """OUT/objects.json: names, classes, colours and the files' own ids of all objects, by video.

    Args:
        several: what the files say.
        added: objects that were named elsewhere, by video and id; the files' own ids are theirs.
    """
    found = {
        video: {info.id: info for info in objects.infos}
        for labelled in several
        for video, objects in labelled.objects.items()
    }
    videos: dict[str, Any] = {
        video: [
            asdict(info)
            for _, info in sorted({**(added or {}).get(video, {}), **found.get(video, {})}.items())
        ]
        for video in dict.fromkeys((*(added or ()), *found))
    }
    content = {
        "format": ", ".join(dict.fromkeys(labelled.annotations.format for labelled in several)),
        "source": ", ".join(Path(labelled.annotations.source).name for labelled in several),
        "videos": videos,
    }
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "backslashreplace")


def read_objects_json(path: Path) -> dict[str, dict[int, ObjectInfo]]:
    """What `objects_json` made: video -> id -> object; {} where there is no such file.

    Raises:
        DataError: it is damaged.
    """
    try:
        videos = json.loads(read_regular(path))["videos"]
        return {
            video: {int(entry["id"]): ObjectInfo(**entry) for entry in entries}
            for video, entries in videos.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{path}: expected names of objects, found damage: {error}", "move it away, or restore it"
        ) from error
