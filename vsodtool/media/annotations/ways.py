"""The ways to find the frame that an entry of an annotation file means: `--match`, `--frame-offset`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol, TypeAlias

from vsodtool.checks import whole_number
from vsodtool.errors import DataError
from vsodtool.media.annotations.model import FrameLabels
from vsodtool.media.masks.numbers import numbers_in_names, uploaded_name
from vsodtool.types import Size

UPLOAD = re.compile(r"^[0-9a-f]{8}-")  # what Label Studio puts before the name of an upload
_CVAT = re.compile(r"^frame_(?=[0-9]+$)")

Find: TypeAlias = Callable[[FrameLabels, int], int | None]
Way: TypeAlias = tuple[str, Find]


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


def choose_way(
    source: str, target: Target, listed: Sequence[FrameLabels], said: Sequence[FrameLabels], rule: MatchRule
) -> Way:
    """The way to find frames: the first one that finds all of them, else the first that finds any.

    Args:
        source: the annotation file, for messages.
        target: the input.
        listed: all frames that the file lists for it.
        said: those of them that are to be found.
        rule: how to match.

    Returns:
        A phrase for people, and what gives the place of a frame, by it and its place in `said`.

    Raises:
        DataError: numbers and names mean different frames, and nothing says which are right.
    """
    return _Ways(source, target, listed, rule).best(said)


class _Ways:
    def __init__(self, source: str, target: Target, listed: Sequence[FrameLabels], rule: MatchRule) -> None:
        self._source, self._target, self._listed, self._rule = source, target, listed, rule
        self._position = {name: place for place, name in enumerate(target.names)}
        stems = [UPLOAD.sub("", frame.key.stem) for frame in listed]
        numbers = numbers_in_names(stems, target.name)
        self._in_name = {frame.key.name: number for frame, number in zip(listed, numbers, strict=True)}
        places = [frame.key.number for frame in listed if frame.key.in_task and frame.key.number is not None]
        # A task of all frames: its places are theirs, however its images are called.
        self._is_whole = sorted(places) == list(range(len(target.names)))

    def best(self, said: Sequence[FrameLabels]) -> Way:
        """The first way that finds all frames, else the first that finds any."""
        by_name: list[Way] = [
            ("by name", self._named()),
            ("by name, without the upload's prefix", self._named(UPLOAD)),
            ("by name, without the upload's hash", self._uploaded),
            ("by name, without frame_", self._named(_CVAT)),
        ]
        in_name: list[Way] = [("by the number in the name", self._number_in_name)]
        ways: dict[str, list[Way]] = {
            "name": [*by_name, *(in_name if self._target.is_file else [])],
            "number": [("by number", self._numbered)],
            "index": [("by order", self._ordered)],
            "auto": [*by_name, ("by number", self._placed)],
        }
        if self._rule.match == "auto" and self._target.is_file:
            return self._of_file()
        found = [
            (sum(self._inside(find(frame, order)) for order, frame in enumerate(said)), word, find)
            for word, find in ways[self._rule.match]
        ]
        most = max(count for count, _, _ in found)
        word, find = next((word, find) for count, word, find in found if count == most)
        if self._rule.match == "auto" and word == by_name[-1][0]:
            self._refuse_other_count(said, find)
        return word, find

    def _named(self, *strip: re.Pattern[str]) -> Find:
        def find(frame: FrameLabels, _: int) -> int | None:
            stem = frame.key.stem
            for pattern in strip:
                stem = pattern.sub("", stem)
            return self._position.get(stem, self._position.get(PurePosixPath(frame.key.name).name))

        return find

    def _uploaded(self, frame: FrameLabels, _: int) -> int | None:
        return self._position.get(uploaded_name(frame.key.stem))

    def _stated(self, frame: FrameLabels) -> int | None:
        return None if frame.key.number is None else frame.key.number + self._rule.offset

    def _number_in_name(self, frame: FrameLabels, _: int) -> int | None:
        number = self._in_name.get(frame.key.name)
        return number + self._rule.offset if isinstance(number, int) else None

    def _numbered(self, frame: FrameLabels, order: int) -> int | None:
        return self._number_in_name(frame, order) if frame.key.number is None else self._stated(frame)

    def _placed(self, frame: FrameLabels, order: int) -> int | None:
        """For folders: the number that is stated, or that CVAT's names are made of: places, not names."""
        if _CVAT.match(frame.key.stem):
            return self._number_in_name(frame, order)
        return self._stated(frame) if self._is_whole or not frame.key.in_task else None

    def _ordered(self, _: FrameLabels, order: int) -> int:
        return order + self._rule.offset

    def _of_file(self) -> Way:
        """The way for a video file: by the number that is stated, or by that in the name.

        A task of images of some frames has places of its own, so the names count. Where all of them are one
        more than the places, both may be meant: images numbered from 1, or some of those numbered from 0.
        """
        stated = [frame for frame in self._listed if frame.key.in_task and frame.key.number is not None]
        numbers = [self._in_name.get(frame.key.name) for frame in stated]
        ahead = {
            number - (frame.key.number or 0) if isinstance(number, int) else None
            for frame, number in zip(stated, numbers, strict=True)
        }
        if not stated or self._is_whole or ahead == {0}:
            return "by number", self._numbered
        if ahead == {1}:
            raise self._in_doubt(stated[0], f"{numbers[0]} in its name", "the number in its name")
        return "by the number in the name", self._number_in_name

    def _refuse_other_count(self, said: Sequence[FrameLabels], find: Find) -> None:
        """Refuse CVAT's `frame_000012`, the 13th, for 000012 in a folder of all frames counted from 1."""
        numbers = [whole_number(name) for name in self._target.names]
        first = numbers[0] if numbers else None
        if first is None or not first or numbers != list(range(first, first + len(numbers))):
            return
        for order, frame in enumerate(said):
            named, placed = find(frame, order), self._placed(frame, order)
            if named is None or not self._inside(placed) or named == placed:
                return
        place = find(said[0], 0) or 0
        raise self._in_doubt(
            said[0], f"{self._target.names[place]} as the name of number {place}", "its name"
        )

    def _in_doubt(self, frame: FrameLabels, other: str, what: str) -> DataError:
        return DataError(
            f"{self._source}: expected numbers that agree, found {frame.key}, number {frame.key.number} of "
            f"its task (counted from 0), and {other}",
            f"--match number takes the number of the task for that of the frame, --match name {what}",
        )

    def _inside(self, place: int | None) -> bool:
        return place is not None and 0 <= place < len(self._target.names)
