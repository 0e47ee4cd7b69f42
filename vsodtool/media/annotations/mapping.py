"""Which input an entry of an annotation file is about, and that each of its frames is one: `--empty`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TypeAlias

from vsodtool.errors import DataError
from vsodtool.media.annotations.model import Annotations, FrameLabels, VideoLabels
from vsodtool.media.annotations.shapes import wrong_size
from vsodtool.media.annotations.ways import UPLOAD, Find, MatchRule, Target, choose_way
from vsodtool.media.folders import same_name
from vsodtool.media.masks.numbers import numbers_in_names


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


__all__ = ["FrameMapping", "MatchRule", "Matched", "Target", "match_annotations"]

Entry: TypeAlias = tuple[VideoLabels, FrameLabels]


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
        called = map(same_name, [video.name, *stems, *(UPLOAD.sub("", stem) for stem in stems)])
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
    word, find = choose_way(annotations.source, target, [frame for _, frame in entries], said, rule)
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
    place, doubt = find(frame, said.index(frame)), ""
    if place is None:
        if target.is_file:
            number = numbers_in_names([frame.key.stem], target.name)[0]
            doubt = f" (frame number in its name: {number})" if isinstance(number, str) else ""
        near = sorted(target.names, key=lambda name: _distance(name, frame.key.stem))[:3]
    else:
        near = list(target.names[-3:] if place > 0 else target.names[:3])
    return DataError(
        f"{annotations.source}: label without a frame: expected one of the {len(target.names)} frames of "
        f"{target.name} ({', '.join(near)} are near), found {frame.key}{doubt}",
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
