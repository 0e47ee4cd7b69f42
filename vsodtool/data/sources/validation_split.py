"""Validation data out of the training data: whole videos, or stretches of few; never overlapping."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vsodtool.data.sources.labelled import LabelledFrame, LabelledVideo
from vsodtool.errors import DataError

_HINT = "give more data, or validation data of its own with --validation"


_ENOUGH = 2  # whole videos, to say something of others
_MASKS = 2  # given masks of a stretch, at least; 1 where there are fewer than _MANY
_MANY = 8
GAP = 5  # frames from a stretch to the next that is trained on, at least; fewer in videos below 60 frames
_GAPS = 12


class Scope(StrEnum):
    """What the scores of a validation speak for."""

    SAME_VIDEOS = "other frames of the same videos"
    OTHER_VIDEOS = "other videos"
    OTHER_IMAGES = "other images"

    @staticmethod
    def of(train: Iterable[LabelledVideo], validation: Sequence[LabelledVideo]) -> Scope:
        """By what validates: other videos only if none of them is trained on."""
        moving = {video.place.resolve() for video in validation if not video.stills}
        if not moving:
            return Scope.OTHER_IMAGES
        trained = {video.place.resolve() for video in train}
        return Scope.SAME_VIDEOS if moving & trained else Scope.OTHER_VIDEOS


class Split(NamedTuple):
    """Videos for training and for validation, which may be parts of the same."""

    train: list[LabelledVideo]
    validation: list[LabelledVideo]


class _Stretch(NamedTuple):
    """Positions in a video: of the first and the last given mask, and those next to it that train again."""

    first: int
    last: int
    before: float
    after: float


def split_videos(
    videos: Sequence[LabelledVideo], share: float, seed: int, *, stretches: bool = False
) -> Split:
    """Set aside a share of the videos, and of each set of still images a share of the images.

    Videos with the same frames (labels of several kinds) stay together. Where there is one video only, its
    last part is set aside, in which case training and validation are not independent. With `stretches` that
    is better: where the share is not two whole videos, each video lends a stretch of its frames instead, with
    a gap on both sides that nothing is trained on, so that no video is lost to training. The choice depends
    on the seed and on names, not on where the data lie or in which order they were given.

    Args:
        videos: labelled ones.
        share: in (0, 1); at least one video is set aside, and at least one is left.
        seed: of the choice.
        stretches: whether a few frames can be judged by themselves, as those of a detector can.

    Returns:
        The split; pseudo-labels beside what is judged stay, as a part of clips.

    Raises:
        DataError: there are too few labelled frames to set some aside.
    """
    stills = [video for video in videos if video.stills]
    moving = [video for video in videos if not video.stills]
    train, validation = _split_moving(moving, share, seed, stretches) if moving else Split([], [])
    parts = [_split_stills(video, share, seed) for video in _without_doubles(stills)]
    train += [part for part, _ in parts]
    validation += [part for _, part in parts]
    return Split(train, [video for video in validation if video.given])


def check_disjoint(train: Iterable[LabelledVideo], validation: Iterable[LabelledVideo]) -> None:
    """Refuse validation on what is trained on.

    Raises:
        DataError: a frame is in both; how many are, and the first three, are named.
    """
    trained = _pictures(train)
    both = sorted(str(picture) for picture in _pictures(validation) & trained)
    if both:
        raise DataError(
            f"{len(both)} frames are in the training and in the validation data: {', '.join(both[:3])}",
            "give other --validation data, or none to have some set aside",
        )


def distance(video: LabelledVideo, train: Iterable[LabelledVideo]) -> float:
    """Frames from the given masks of a video to the next frame of it that is trained on; 1: beside it.

    Args:
        video: that validates.
        train: videos that are trained on; infinity if none of them has the same place.
    """
    place = video.place.resolve()
    trained = [frame.position for other in train if other.place.resolve() == place for frame in other.frames]
    own, others = [np.array(each, np.float64) for each in ([f.position for f in video.given], trained)]
    return float(np.abs(own[:, None] - others).min(initial=math.inf))


def _pictures(videos: Iterable[LabelledVideo]) -> set[Path]:
    return {frame.image.resolve() for video in videos for frame in video.frames}


def _split_moving(videos: Sequence[LabelledVideo], share: float, seed: int, stretches: bool) -> Split:
    groups: dict[Path, list[LabelledVideo]] = {}
    for video in videos:
        groups.setdefault(video.place.resolve(), []).append(video)
    # By name, so that the same data elsewhere are split alike; by place where names are the same.
    places = sorted(groups, key=lambda place: (groups[place][0].name, str(place)))
    if stretches and round(len(places) * share) < _ENOUGH:
        split = _split_by_stretches([groups[place] for place in places], share, seed)
        if split.validation:
            return split
    if len(groups) == 1:
        return _split_in_time(videos, share)
    order = np.random.default_rng([seed, len(places)]).permutation(len(places))
    count = _count(len(places), share)
    aside = {places[number] for number in order[:count]}
    return Split(
        [video for video in videos if video.place.resolve() not in aside],
        [video for video in videos if video.place.resolve() in aside],
    )


def _split_by_stretches(groups: Sequence[Sequence[LabelledVideo]], share: float, seed: int) -> Split:
    split = Split([], [])
    for number, group in enumerate(groups):
        positions = sorted({frame.position for video in group for frame in video.given})
        least = _ENOUGH if len(groups) == 1 else 1
        chosen = _choose_stretches(positions, share, least, np.random.default_rng([seed, number]))
        for video in group:
            split.train.extend(_between(video, chosen))
            parts = (
                _where(video, [f for f in video.frames if s.before < f.position < s.after]) for s in chosen
            )
            split.validation.extend(part for part in parts if part.given)
    return split


def _choose_stretches(
    positions: Sequence[int], share: float, least: int, rng: np.random.Generator
) -> list[_Stretch]:
    """Stretches spread over a video, each inside of its own part of the given masks; none if they are few.

    Where masks are dense these are few and long: the gaps shall take no more frames than the share.
    """
    if not positions:
        return []
    span = positions[-1] - positions[0]
    gap = min(GAP, max(1, span // _GAPS))
    masks = _MASKS if len(positions) >= _MANY else 1
    wanted = max(round(share * len(positions) / masks), least)
    few = min(wanted, max(round(share * span / (2 * gap)), least))
    count = min(few, len(positions) // (masks + 2))
    if not count:
        return []
    if few < wanted:
        masks = max(masks, min(round(share * len(positions) / count), len(positions) // count - 2))
    borders = np.linspace(0, len(positions), count + 1).round().astype(int).tolist()
    chosen = []
    for start, end in pairwise(borders):
        at = int(rng.integers(start + 1, end - masks))
        first, last = positions[at], positions[at + masks - 1]
        before = max((position for position in positions if position <= first - gap), default=-math.inf)
        after = min((position for position in positions if position >= last + gap), default=math.inf)
        chosen.append(_Stretch(first, last, before, after))
    return chosen


def _between(video: LabelledVideo, stretches: Sequence[_Stretch]) -> list[LabelledVideo]:
    """What is left of a video, each part by itself: no clip goes across what was taken out."""
    borders = [(-math.inf, -math.inf), *((each.before, each.after) for each in stretches)]
    ends = [*(before for before, _ in borders[1:]), math.inf]
    parts = [
        _where(video, [frame for frame in video.frames if after <= frame.position <= end])
        for (_, after), end in zip(borders, ends, strict=True)
    ]
    return [part for part in parts if part.frames]


def _split_in_time(videos: Sequence[LabelledVideo], share: float) -> Split:
    positions = sorted({frame.position for video in videos for frame in video.given})
    if len(positions) < 2:
        raise DataError(
            f"{videos[0].name}: no validation data: expected at least 2 given masks, found {len(positions)}",
            _HINT,
        )
    border = positions[-_count(len(positions), share)]
    early = [_where(video, [f for f in video.frames if f.position < border]) for video in videos]
    late = [_where(video, [f for f in video.frames if f.position >= border]) for video in videos]
    return Split([v for v in early if v.frames], [v for v in late if v.given])


def _where(video: LabelledVideo, frames: Sequence[LabelledFrame]) -> LabelledVideo:
    return replace(video, frames=tuple(frames))


def _split_stills(video: LabelledVideo, share: float, seed: int) -> tuple[LabelledVideo, LabelledVideo]:
    number = len(video.frames)
    if number < 2:
        raise DataError(
            f"{video.name}: no validation data: expected at least 2 images, found {number}", _HINT
        )
    order = np.random.default_rng([seed, number]).permutation(number)
    aside = set(order[: _count(number, share)].tolist())
    parts: tuple[list[LabelledFrame], list[LabelledFrame]] = ([], [])
    for place, frame in enumerate(video.frames):
        parts[place in aside].append(frame)
    return _where(video, parts[0]), _where(video, parts[1])


def _without_doubles(sets: Sequence[LabelledVideo]) -> list[LabelledVideo]:
    """Sets of images without those that an earlier set holds already, which could end up on both sides."""
    seen: set[Path] = set()
    kept = []
    for images in sets:
        fresh = [frame for frame in images.frames if frame.image.resolve() not in seen]
        seen.update(frame.image.resolve() for frame in fresh)
        if fresh:
            kept.append(_where(images, fresh))
    return kept


def _count(number: int, share: float) -> int:
    return min(max(round(number * share), 1), number - 1)
