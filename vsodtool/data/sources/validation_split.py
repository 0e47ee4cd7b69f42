"""Validation data out of the training data: by whole videos, seeded, never overlapping."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vsodtool.data.sources.labelled import LabelledFrame, LabelledVideo
from vsodtool.errors import DataError

_HINT = "give more data, or validation data of its own with --validation"


class Split(NamedTuple):
    """Videos for training and for validation."""

    train: list[LabelledVideo]
    validation: list[LabelledVideo]


def split_videos(videos: Sequence[LabelledVideo], share: float, seed: int) -> Split:
    """Set aside a share of the videos, and of each set of still images a share of the images.

    Videos with the same frames (labels of several kinds) stay together. Where there is one video only, its
    last part is set aside, in which case training and validation are not independent. The choice depends on
    the seed and on names, not on where the data lie or in which order they were given.

    Args:
        videos: labelled ones.
        share: in (0, 1); at least one video is set aside, and at least one is left.
        seed: of the choice.

    Raises:
        DataError: there are too few labelled frames to set some aside.
    """
    stills = [video for video in videos if video.stills]
    moving = [video for video in videos if not video.stills]
    train, validation = _split_moving(moving, share, seed) if moving else Split([], [])
    parts = [_split_stills(video, share, seed) for video in _without_doubles(stills)]
    train += [part for part, _ in parts]
    validation += [part for _, part in parts]
    return Split(train, [only_given(video) for video in validation])


def only_given(video: LabelledVideo) -> LabelledVideo:
    """A video without its pseudo-labels: scores are against what a person drew."""
    return replace(video, frames=video.given)


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


def _pictures(videos: Iterable[LabelledVideo]) -> set[Path]:
    return {frame.image.resolve() for video in videos for frame in video.frames}


def _split_moving(videos: Sequence[LabelledVideo], share: float, seed: int) -> Split:
    groups: dict[Path, list[LabelledVideo]] = {}
    for video in videos:
        groups.setdefault(video.place.resolve(), []).append(video)
    if len(groups) == 1:
        return _split_in_time(videos, share)
    # By name, so that the same data elsewhere are split alike; by place where names are the same.
    places = sorted(groups, key=lambda place: (groups[place][0].name, str(place)))
    order = np.random.default_rng([seed, len(places)]).permutation(len(places))
    count = _count(len(places), share)
    aside = {places[number] for number in order[:count]}
    return Split(
        [video for video in videos if video.place.resolve() not in aside],
        [video for video in videos if video.place.resolve() in aside],
    )


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
