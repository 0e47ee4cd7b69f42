"""Which frame of which input an entry of an annotation file means: `--match`, `--frame-offset`, `--empty`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Protocol, TypeAlias

from vsodtool.checks import whole_number
from vsodtool.errors import DataError
from vsodtool.media.annotations.model import Annotations, FrameLabels, VideoLabels
from vsodtool.media.annotations.shapes import wrong_size
from vsodtool.media.folders import same_name
from vsodtool.types import Size

_UPLOAD = re.compile(r"^[0-9a-f]{8}-")  # what Label Studio puts before the name of an upload
_CVAT = re.compile(r"^frame_(?=[0-9]+$)")
_LAST_NUMBER = re.compile(r"([0-9]+)$")


class Target(Protocol):
    """What is known of an input before its frames are decoded."""

    @property
    def name(self) -> str:
        """Name of the video."""

    @property
    def names(self) -> Sequence[str]:
        """Names of its frames, in order."""

    @property
    def is_file(self) -> bool:
        """Whether it is a video file: its frames have numbers, not names of their own."""

    @property
    def size(self) -> Size | None:
        """(H, W) of its frames; None: of any, each its own."""


@dataclass(frozen=True)
class MatchRule:
    """How entries are matched to frames.

    Attributes:
        match: auto, name, number or index.
        offset: added to numbers and places.
        empty: whether a frame that is listed without shapes says "nothing here" (given) or nothing (unknown).
    """

    match: str = "auto"
    offset: int = 0
    empty: str = "unknown"


@dataclass(frozen=True)
class Matched:
    """The labelled frames of one input.

    Attributes:
        frames: frame name -> what the file says, in the order of the frames.
        rule: how they were found: "by name", "by number", "by order".
    """

    frames: Mapping[str, FrameLabels]
    rule: str


@dataclass(frozen=True)
class FrameMapping:
    """Which entries belong to which input.

    Attributes:
        videos: name of the input -> its labelled frames.
        ignored: video that is no input -> how many entries it has.
    """

    videos: Mapping[str, Matched]
    ignored: Mapping[str, int] = field(default_factory=dict)


Entry: TypeAlias = tuple[VideoLabels, FrameLabels]
Find: TypeAlias = Callable[[FrameLabels, int], int | None]


def match_annotations(
    annotations: Annotations, targets: Sequence[Target], rule: MatchRule, *, every: bool = True
) -> FrameMapping:
    """Find the frames that an annotation file means.

    Args:
        annotations: what was read.
        targets: the inputs.
        rule: how to match.
        every: every input must have labels; else those without are left out, unless all are.

    Raises:
        DataError: there are no entries, one fits no frame, two fit one, a size or a number of frames differs,
            an input has no labels, or the file is about other videos.
    """
    if not any(video.frames for video in annotations.videos):
        raise _nothing_there(annotations)
    parts, ignored = _share_out(annotations, targets)
    lacking = [target.name for target in targets if not parts.get(target.name)]
    if lacking and (every or len(lacking) == len(targets)):
        known = sorted({video.name or "unnamed" for video in annotations.videos})
        raise DataError(
            f"{annotations.source}: expected labels for {', '.join(map(repr, lacking[:3]))}, found "
            f"{', '.join(map(repr, known[:3])) or 'none'}",
            "name the inputs like the videos of the file, "
            + (
                "or give one input and a file about one video"
                if len(lacking) == len(targets)
                else "or leave out those without labels: --only-masked"
            ),
        )
    matched = {
        target.name: _match(annotations, target, parts[target.name], rule)
        for target in targets
        if target.name not in lacking
    }
    return FrameMapping(matched, ignored)


def _nothing_there(annotations: Annotations) -> DataError:
    left_out = ", ".join(f"{count} {kind}" for kind, count in annotations.left_out.items())
    return DataError(
        f"{annotations.source}: expected labelled frames, found none"
        + (f"; left out: {left_out}" if left_out else ""),
        "export what is labelled" + (", or say that what was left out is meant" if left_out else ""),
    )


def _share_out(
    annotations: Annotations, targets: Sequence[Target]
) -> tuple[dict[str, list[Entry]], dict[str, int]]:
    """Input -> its entries: by a folder in the path of an image, the name of the video, or the only one."""
    names = {target.name: target.name for target in targets}
    parts: dict[str, list[Entry]] = defaultdict(list)
    homeless: dict[str, list[Entry]] = defaultdict(list)
    for video in annotations.videos:
        stems = [PurePosixPath(name).stem for name in (video.name, video.file)]
        called = map(same_name, [video.name, *stems, *(_UPLOAD.sub("", stem) for stem in stems)])
        own = next((names[name] for name in called if name in names), None)
        for frame in video.frames:
            folders = PurePosixPath(same_name(frame.key.name).replace("\\", "/")).parts[:-1]
            home = next((names[folder] for folder in reversed(folders) if folder in names), own)
            if home is not None:
                parts[home].append((video, frame))
            else:
                group = video.name or (folders[-1] if folders and folders[-1] != "/" else "")
                homeless[group].append((video, frame))
    if (
        not parts and len(targets) == 1 and len(homeless) == 1
    ):  # one input, one video: whatever they are called
        return {targets[0].name: next(iter(homeless.values()))}, {}
    return parts, {name: len(entries) for name, entries in homeless.items()}


def _match(
    annotations: Annotations,
    target: Target,
    entries: Sequence[tuple[VideoLabels, FrameLabels]],
    rule: MatchRule,
) -> Matched:
    for video, _ in entries:
        if video.length is not None and video.length != len(target.names):
            raise DataError(
                f"{annotations.source}: expected labels of {len(target.names)} frames like {target.name}, "
                f"found {video.length} frames",
                "label the same file, or frames exported by vsodtool suggest --export",
            )
    said = [frame for _, frame in entries if frame.shapes or frame.empty or rule.empty == "given"]
    if not said:
        raise DataError(
            f"{annotations.source}: expected labelled frames of {target.name}, "
            f"found {len(entries)} listed frames without any shape",
            "draw something, or say --empty given if these frames are meant to be empty",
        )
    word, find = _choose(target, said, rule)
    places: dict[int, FrameLabels] = {}
    for order, frame in enumerate(said):
        place = find(frame, order)
        if place is None or not 0 <= place < len(target.names):
            raise _orphan(annotations, target, said, find, frame)
        if places.setdefault(place, frame) is not frame:
            raise DataError(
                f"{annotations.source}: expected one entry for frame {target.names[place]} of {target.name}, "
                f"found {places[place].key} and {frame.key}",
                "remove one of the two",
            )
        size, expected = frame.key.size, target.size
        if size is not None and expected is not None and size != expected:
            raise wrong_size(f"{annotations.source}: {frame.key}", size, expected)
    return Matched({target.names[place]: places[place] for place in sorted(places)}, word)


def _choose(target: Target, said: Sequence[FrameLabels], rule: MatchRule) -> tuple[str, Find]:
    """The way to find frames: the first one that finds all of them, else the first that finds any."""
    position = {name: place for place, name in enumerate(target.names)}

    def named(*strip: re.Pattern[str]) -> Find:
        def find(frame: FrameLabels, _: int) -> int | None:
            stem = frame.key.stem
            for pattern in strip:
                stem = pattern.sub("", stem)
            return position.get(stem, position.get(PurePosixPath(frame.key.name).name))

        return find

    def stated(frame: FrameLabels, _: int) -> int | None:
        return None if frame.key.number is None else frame.key.number + rule.offset

    def absolute(frame: FrameLabels, order: int) -> int | None:
        """The number that the format states, or that CVAT's names are made of: places, not names."""
        if frame.key.number is not None or not _CVAT.match(frame.key.stem):
            return stated(frame, order)
        return numbered(frame, order)

    def numbered(frame: FrameLabels, order: int) -> int | None:
        if frame.key.number is not None:
            return stated(frame, order)
        digits = _LAST_NUMBER.search(frame.key.stem)
        number = None if digits is None else whole_number(digits[1])
        return None if number is None else number + rule.offset

    def ordered(_: FrameLabels, order: int) -> int:
        return order + rule.offset

    by_name: list[tuple[str, Find]] = [
        ("by name", named()),
        ("by name, without the upload's prefix", named(_UPLOAD)),
        ("by name, without frame_", named(_CVAT)),
    ]
    ways: dict[str, list[tuple[str, Find]]] = {
        "name": by_name,
        "number": [("by number", numbered)],
        "index": [("by order", ordered)],
        "auto": [("by number", numbered)] if target.is_file else [*by_name, ("by number", absolute)],
    }
    found = [
        (sum(_inside(find(frame, order), target) for order, frame in enumerate(said)), word, find)
        for word, find in ways[rule.match]
    ]
    best = max(count for count, _, _ in found)
    return next((word, find) for count, word, find in found if count == best)


def _inside(place: int | None, target: Target) -> bool:
    return place is not None and 0 <= place < len(target.names)


def _orphan(
    annotations: Annotations, target: Target, said: Sequence[FrameLabels], find: Find, frame: FrameLabels
) -> DataError:
    places = [find(one, order) for order, one in enumerate(said)]
    hint = "name the labels like the frames, or say how they are counted: --match, --frame-offset"
    if all(place is not None for place in places):
        known = [place for place in places if place is not None]
        for offset in (-1, 1):
            if all(0 <= place + offset < len(target.names) for place in known):
                hint = f"all of them fit with --frame-offset {offset}: the tool counts from {max(0, -offset)}"
    place = find(frame, said.index(frame))
    if place is None:
        near = sorted(target.names, key=lambda name: _distance(name, frame.key.stem))[:3]
    else:
        near = list(target.names[-3:] if place > 0 else target.names[:3])
    return DataError(
        f"{annotations.source}: label without a frame: expected one of the {len(target.names)} frames of "
        f"{target.name} ({', '.join(near)} are near), found {frame.key}",
        hint,
    )


def _distance(first: str, second: str) -> int:
    """How unlike two names are: what is left beside their common beginning and end."""
    start = next(
        (place for place, (a, b) in enumerate(zip(first, second, strict=False)) if a != b),
        min(len(first), len(second)),
    )
    end = next(
        (place for place, (a, b) in enumerate(zip(first[::-1], second[::-1], strict=False)) if a != b),
        min(len(first), len(second)),
    )
    return len(first) + len(second) - start - end
