"""Frames to label before anything is labelled: spread over the videos, each the sharpest around its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot, sqrt
from typing import TYPE_CHECKING, TypeAlias

from vsodtool.checks import whole_number
from vsodtool.config import SuggestConfig
from vsodtool.errors import DataError, UsageError
from vsodtool.media.folders import same_name
from vsodtool.media.masks.numbers import frame_numbers
from vsodtool.media.video.frames import FrameSource
from vsodtool.ops.suggesting.sharpness import sharpness
from vsodtool.ops.suggesting.spacing import every, inset, share_out
from vsodtool.types import Frame

if TYPE_CHECKING:  # slow to import, and one video alone needs none
    from torch import Tensor

Shots: TypeAlias = Sequence[range]  # of one video, in order
ShotsOf: TypeAlias = Callable[[FrameSource], Shots]

NEAR = 2  # frames to each side among which the sharpest is taken
SAMPLED = 5  # of as many pairs of neighbours one is looked at
QUARTER = 4  # the motion is that of frames of a quarter of the size


@dataclass(frozen=True)
class Place:
    """Where a label should be.

    Attributes:
        index: of the frame.
        near: how many frames it may lie off.
        reason: why there, for people.
        shot: the frames that it may not leave; None where it stays where it is.
    """

    index: int
    near: int
    reason: str
    shot: range | None = None

    @property
    def window(self) -> range:
        """The frames that it may be."""
        start, stop = self.index - self.near, self.index + self.near + 1
        if self.shot is None:
            return range(start, stop)
        return range(max(start, self.shot.start), min(stop, self.shot.stop))


def places(sources: Sequence[FrameSource], config: SuggestConfig, shots_of: ShotsOf) -> list[list[Place]]:
    """The places of each video, in order.

    Args:
        sources: the videos.
        config: what is asked for.
        shots_of: finds the shots of a video, in order; asked if that matters.

    Raises:
        UsageError: frames are asked for that do not exist.
        DataError: nothing of a video decodes.
    """
    if config.frames:
        return _listed(sources, config.listed)
    shots = [shots_of(source) for source in sources]
    if config.every:
        reason = f"one in {config.every} frames"
        return [
            [Place(shot.start + at, 0, reason) for shot in own for at in every(len(shot), config.every)]
            for own in shots
        ]
    return _spread(sources, shots, config.number)


def take(source: FrameSource, wanted: Sequence[Place]) -> Iterator[tuple[Place, Frame]]:
    """Decode a video once, in order, and yield the sharpest frame of each place as soon as it is known.

    What does not decode is left out, and listed in `source.losses`.

    Args:
        source: the video.
        wanted: its places, ascending; their windows do not touch.
    """
    waiting = list(wanted)
    best: tuple[float, Frame] | None = None
    for frame in source.select({index for place in wanted for index in place.window}):
        while frame.index not in waiting[0].window:
            if best is not None:
                yield waiting[0], best[1]
            waiting, best = waiting[1:], None
        value = sharpness(frame.rgb) if waiting[0].near else 0.0
        nearer = best is None or abs(frame.index - waiting[0].index) < abs(best[1].index - waiting[0].index)
        if best is None or (value, nearer) > (best[0], False):
            best = value, frame
    if best is not None:
        yield waiting[0], best[1]


def motion(source: FrameSource) -> float:
    """The mean length of the flow between neighbouring frames, by the diagonal of the frame.

    Raises:
        DataError: nothing decodes.
    """
    from vsodtool.models.flow.by_patches import motion_estimator

    estimator, found = motion_estimator(), []
    first = range(0, max(len(source.names) - 1, 1), SAMPLED)
    before: tuple[int, Tensor] | None = None
    for frame in source.select({index for start in first for index in (start, start + 1)}):
        image = _small(frame)
        if before is not None and frame.index == before[0] + 1 and before[0] in first:
            flow = estimator.estimate(before[1], image)
            found.append(float(flow.norm(dim=1).mean()) / hypot(*image.shape[-2:]))
        before = frame.index, image
    return sum(found) / len(found) if found else 0.0


def _small(frame: Frame) -> Tensor:
    """A frame at a quarter of its size, float32 (1, 3, h, w) in [0, 1]."""
    import torch
    from torch.nn import functional

    image = torch.from_numpy(frame.rgb).permute(2, 0, 1)[None].float().div_(255)
    smallest = min(image.shape[-2:])
    small: Tensor = functional.avg_pool2d(image, min(QUARTER, smallest))
    return small


def _spread(sources: Sequence[FrameSource], shots: Sequence[Shots], number: int) -> list[list[Place]]:
    """Labels for all shots: more where more moves, and for long ones."""
    moving = [sqrt(motion(source)) if len(sources) > 1 else 1.0 for source in sources]
    weights = [moved * len(shot) for moved, own in zip(moving, shots, strict=True) for shot in own]
    counts = iter(share_out(weights, [len(shot) for own in shots for shot in own], number))
    return [[place for shot in own for place in _spread_over(shot, next(counts))] for own in shots]


def _spread_over(shot: range, count: int) -> list[Place]:
    indices = [shot.start + at for at in inset(len(shot), count)] if count else []
    gap = min((after - before for before, after in pairwise(indices)), default=len(shot))
    near = min(NEAR, (gap - 1) // 2)
    reason = "evenly spaced" + (f", the sharpest of {2 * near + 1}" if near else "")
    return [Place(index, near, reason, shot) for index in indices]


def _listed(sources: Sequence[FrameSource], words: Sequence[str]) -> list[list[Place]]:
    """The frames of `--frames`, by name, or by the number in it."""
    names = {source.video.name: number for number, source in enumerate(sources)}
    found: list[set[int]] = [set() for _ in sources]
    for word in words:
        video, _, frame = same_name(word).rpartition("/")
        if not video and len(sources) > 1:
            raise UsageError(
                f"--frames: expected video/frame, as there are {len(sources)} videos, found '{word}'",
                f"for example {sources[0].video.name}/{sources[0].names[0]}",
            )
        if video and video not in names:
            raise UsageError(
                f"--frames: expected one of the videos {', '.join(list(names)[:5])}, found '{video}'"
            )
        number = names.get(video, 0)
        found[number].add(_find(sources[number], frame))
    return [[Place(index, 0, "asked for") for index in sorted(indices)] for indices in found]


def _find(source: FrameSource, word: str) -> int:
    names = source.names
    if word in names:
        return names.index(word)
    number = whole_number(word)
    if number is not None:
        if source.video.kind == "file":
            numbers: list[int | str] = list(range(len(names)))
        else:
            numbers = frame_numbers(source.video.files, source.video.name)
        if numbers.count(number) == 1:
            return numbers.index(number)
    raise UsageError(
        f"--frames: expected a frame of {source.video.name} ({names[0]} to {names[-1]}), found '{word}'",
        "frames are counted from 0; a folder's frames have the names of their files",
    )


def refuse_nothing(source: FrameSource, wanted: Sequence[Place], found: int) -> None:
    """Refuse a video of which no wanted frame decodes.

    Raises:
        DataError: with what went wrong with the first of them.
    """
    if wanted and not found:
        why = f": {source.losses[0].reason}" if source.losses else ""
        raise DataError(
            f"{source.video.path}: none of the {len(wanted)} frames to draw on decodes{why}",
            "choose others with --frames",
        )
