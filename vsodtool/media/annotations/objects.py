"""Who is who over the frames: shapes -> objects with ids, names and colours (`--objects`)."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

from vsodtool.checks import whole_number
from vsodtool.errors import DataError
from vsodtool.media.annotations.model import Category, FrameLabels, Shape
from vsodtool.types import LabelArray, Size

Key: TypeAlias = tuple[str, str]  # what tells an object from others: ("track", "7 dog"), ("category", "dog")

_LARGEST_ID = 65535
SINGLE = "object"
_UNNAMED = re.compile(f"{SINGLE} ([1-9][0-9]{{0,4}})")


def unnamed(number: int, *, alone: bool) -> str:
    """What an object is called that nobody named; from several of them it is told by its id."""
    return SINGLE if alone else f"{SINGLE} {number}"


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One object of a video.

    Attributes:
        id: its id in label images, 1 to 65535.
        name: its name, unlike that of every other object of the video.
        category: its class.
        source_id: what the file calls it, "" if it has no word for it.
        color: "#rrggbb", "" if the file has none.
    """

    id: int
    name: str
    category: str
    source_id: str = ""
    color: str = ""


@dataclass(frozen=True)
class ObjectRule:
    """How shapes become objects.

    Attributes:
        how: auto, track, category, single or attribute:NAME.
        classes: the categories that count; all if empty.
    """

    how: str = "auto"
    classes: frozenset[str] = frozenset()

    def chosen(self, frame: FrameLabels) -> list[Shape]:
        """The shapes of a frame that are of a category that counts."""
        return [shape for shape in frame.shapes if not self.classes or shape.category in self.classes]

    def key(self, shape: Shape) -> Key:
        """What tells the object of a shape from others.

        Raises:
            DataError: the shape has no track or no such attribute, and that was asked for.
        """
        if self.how == "single":
            return "single", SINGLE
        if self.how.startswith("attribute:"):
            name = self.how.removeprefix("attribute:")
            value = shape.attributes.get(name)
            if value is None:
                known = ", ".join(sorted(shape.attributes)) or "none"
                raise DataError(
                    f"{shape.place}: expected the attribute '{name}', found {known}",
                    "name another attribute, or use --objects category",
                )
            return "attribute", value
        if self.how != "category" and shape.track is not None:
            return "track", f"{shape.track}\n{shape.category}"
        if self.how == "track":
            raise DataError(
                f"{shape.place}: expected a track, found a shape that belongs to none",
                "use --objects category, or give the shape a track in the tool",
            )
        return "category", shape.category


@dataclass(frozen=True)
class VideoObjects:
    """The objects of one video, and which shape belongs to which.

    Attributes:
        infos: in the order of their ids.
    """

    infos: tuple[ObjectInfo, ...]
    _ids: Mapping[Key, int] = field(repr=False)
    _rule: ObjectRule = field(repr=False)

    def shapes_of(self, frame: FrameLabels) -> list[Shape]:
        """The shapes of a frame that count, from the lowest up: in the order of z, then of the file."""
        return sorted(self._rule.chosen(frame), key=lambda shape: shape.z)

    def present(self, frame: FrameLabels) -> set[int]:
        """The ids of the objects that a frame has shapes of."""
        return {self._ids[self._rule.key(shape)] for shape in self.shapes_of(frame)}

    def paint(self, frame: FrameLabels, size: Size) -> LabelArray:
        """The label image of a frame, uint16 (H, W): upper shapes cover lower ones.

        Raises:
            DataError: a shape cannot be drawn in a frame of this size.
        """
        return self.paint_and_count(frame, size)[0]

    def paint_and_count(self, frame: FrameLabels, size: Size) -> tuple[LabelArray, int]:
        """As `paint`; and how many pixels of an object are covered by another one.

        Raises:
            DataError: as `paint`.
        """
        labels, covered = np.zeros(size, np.uint16), 0
        for place, shape in enumerate(self.shapes_of(frame)):
            mask, number = shape.draw(size), self._ids[self._rule.key(shape)]
            if place:
                covered += int(np.count_nonzero(mask & (labels != 0) & (labels != number)))
            np.copyto(labels, np.uint16(number), where=mask)
        return labels, covered

    def renumbered(self, known: Mapping[str, int]) -> VideoObjects:
        """The same objects with the ids that their names have elsewhere.

        The others keep theirs where these are free, and get the next free one where not.
        """
        new = {info.id: known[info.name] for info in self.infos if info.name in known}
        own = {info.id for info in self.infos if info.name not in known}
        taken = set(known.values())
        free = (number for number in range(1, _LARGEST_ID + 1) if number not in taken | own)
        for number in sorted(own):
            new[number] = number if number not in taken else next(free)
        infos = sorted((replace(info, id=new[info.id]) for info in self.infos), key=lambda info: info.id)
        return VideoObjects(tuple(infos), {key: new[number] for key, number in self._ids.items()}, self._rule)

    def with_ids_of(self, earlier: Iterable[ObjectInfo], reserved: Iterable[ObjectInfo] = ()) -> VideoObjects:
        """The same objects with the ids that they had before: told by name, else by track and class.

        Args:
            earlier: what objects were; the ids of those that have gone are free.
            reserved: objects that masks beside these have, whose ids are free for nobody else.
        """
        held = {info.name: info.id for info in {info.id: info for info in reserved}.values()}
        before = {info.id: info for info in (*earlier, *reserved)}.values()
        by_name = {info.name: info.id for info in before}
        by_track = {(info.source_id, info.category): info.id for info in before if info.source_id}
        known = {info.name: by_name[info.name] for info in self.infos if info.name in by_name}
        for info in self.infos:
            number = by_track.get((info.source_id, info.category))
            if info.name not in known and number is not None and number not in known.values():
                known[info.name] = number
        return self.renumbered(held | known)


def identify(
    videos: Mapping[str, Sequence[FrameLabels]], categories: Iterable[Category], rule: ObjectRule
) -> dict[str, VideoObjects]:
    """The objects of each video.

    A track is an object of its video. What has no track is told apart by its category, which is the same
    object id in all videos; then no frame may hold it twice. Ids are the tracks' own numbers where these are
    all numbers from 1 to 65535 and differ, else given by first appearance.

    Args:
        videos: name -> its frames, in the order of the video.
        categories: declared ones, for their colours.
        rule: how shapes become objects.

    Raises:
        DataError: a category occurs twice in a frame and nothing says who is who; or as `ObjectRule.key`.
    """
    colors = {category.name: category.color for category in categories}
    shared: dict[Key, int] = {}
    found: dict[str, VideoObjects] = {}
    for video, frames in videos.items():
        first: dict[Key, Shape] = {}
        for frame in frames:
            _refuse_twins(frame, rule)
            for shape in rule.chosen(frame):
                first.setdefault(rule.key(shape), shape)
        ids = _own_numbers(first) or _by_appearance(first, shared)
        names = Counter(_title(key, shape) for key, shape in first.items())
        infos = [
            ObjectInfo(
                ids[key],
                _title(key, shape) if names[_title(key, shape)] == 1 else _told_apart(shape, ids[key], names),
                shape.category,
                shape.track or "",
                colors.get(shape.category, ""),
            )
            for key, shape in first.items()
        ]
        found[video] = VideoObjects(tuple(sorted(infos, key=lambda info: info.id)), ids, rule)
    return found


def join_objects(several: Sequence[VideoObjects]) -> list[VideoObjects]:
    """The objects of one video by several files: what has one name is one object.

    The ids of the first file stay; objects that it does not have keep theirs where these are free, and get
    the next free one where not.

    Args:
        several: the objects by each file, in order.

    Returns:
        As many; all have the infos of all objects, those of the first file that has them.
    """
    infos: dict[str, ObjectInfo] = {}
    changes: list[dict[int, int]] = []
    for objects in several:
        taken = {info.id for info in infos.values()}
        strangers = {info.id for info in objects.infos if info.name not in infos}
        change = {}
        for info in objects.infos:
            if info.name not in infos:
                free = (n for n in range(1, _LARGEST_ID + 1) if n not in taken | strangers)
                number = info.id if info.id not in taken else next(free)
                taken.add(number)
                infos[info.name] = replace(info, id=number)
            change[info.id] = infos[info.name].id
        changes.append(change)
    all_infos = tuple(sorted(infos.values(), key=lambda info: info.id))
    return [
        VideoObjects(all_infos, {key: change[number] for key, number in objects._ids.items()}, objects._rule)
        for objects, change in zip(several, changes, strict=True)
    ]


def _title(key: Key, shape: Shape) -> str:
    return key[1] if key[0] in ("single", "attribute") else shape.category


def _told_apart(shape: Shape, number: int, names: Container[str]) -> str:
    """A name with the id in it, unlike the names of others."""
    name = f"{shape.category} {number}"
    return name if name not in names else f"{shape.category} ({number})"


def _own_numbers(first: Mapping[Key, Shape]) -> dict[Key, int]:
    """The tracks' own numbers, {} unless every object has one that no other has."""
    numbers = {key: shape.track or "" for key, shape in first.items() if key[0] == "track"}
    if len(numbers) < len(first) or len(set(numbers.values())) < len(numbers):
        return {}
    if not all(1 <= (whole_number(text) or 0) <= _LARGEST_ID for text in numbers.values()):
        return {}
    return {key: int(text) for key, text in numbers.items()}


def _number_in(name: str) -> int | None:
    found = _UNNAMED.fullmatch(name)
    number = whole_number(found[1]) if found else None
    return number if number is not None and 1 <= number <= _LARGEST_ID else None


def _by_appearance(first: Mapping[Key, Shape], shared: dict[Key, int]) -> dict[Key, int]:
    """Ids in the order of appearance; those of categories are the same in all videos.

    What vsodtool wrote as "object 3", not knowing a name, has the id 3 again.
    """
    ids: dict[Key, int] = {}
    for key, shape in first.items():
        number = _number_in(_title(key, shape))
        if number and number not in {*shared.values(), *ids.values()} - {shared.get(key)}:
            ids[key] = number if key[0] == "track" else shared.setdefault(key, number)
    for key in first:
        if key not in ids and key[0] != "track":
            taken = {*shared.values(), *ids.values()}
            ids[key] = shared.setdefault(key, next(n for n in range(1, _LARGEST_ID + 2) if n not in taken))
    for key in first:
        if key not in ids:
            ids[key] = next(n for n in range(1, _LARGEST_ID + 2) if n not in ids.values())
    if any(number > _LARGEST_ID for number in ids.values()):
        raise DataError(
            f"expected at most {_LARGEST_ID} objects in a video, found {len(ids)}",
            "use --objects category, or choose some with --classes",
        )
    return ids


def _refuse_twins(frame: FrameLabels, rule: ObjectRule) -> None:
    """Without tracks, a category that occurs twice in a frame has two objects that nothing tells apart."""
    if rule.how != "auto":
        return
    things: dict[str, list[str | None]] = defaultdict(list)
    for shape in rule.chosen(frame):
        if shape.track is None:
            things[shape.category].append(shape.part_of)
    for category, parts in things.items():
        count = len({part for part in parts if part is not None}) + parts.count(None)
        if count > 1:
            raise DataError(
                f"{frame.shapes[0].place.split(': ')[0]}: {category} occurs {count} times in {frame.key}, "
                f"and nothing says who is who",
                "--objects category takes them together, --objects single takes everything together, "
                "--objects attribute:NAME tells them apart by an attribute",
            )
