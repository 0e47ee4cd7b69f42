"""Frames to label before anything is labelled: spread over the videos, each the sharpest around its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot, sqrt
from typing import TYPE_CHECKING

from vsodtool.config import SuggestConfig
from vsodtool.errors import DataError, UsageError
from vsodtool.media.masks.numbers import frame_numbers
from vsodtool.media.video.frames import FrameSource
from vsodtool.ops.sharpness import sharpness
from vsodtool.ops.spacing import every, inset, share_out
from vsodtool.types import Frame

if TYPE_CHECKING:  # slow to import, and one video alone needs none
    from torch import Tensor

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
    """

    index: int
    near: int
    reason: str

    @property
    def window(self) -> range:
        """The frames that it may be."""
        return range(max(self.index - self.near, 0), self.index + self.near + 1)


def places(sources: Sequence[FrameSource], config: SuggestConfig) -> list[list[Place]]:
    """The places of each video, in order.

    Raises:
        UsageError: frames are asked for that do not exist.
        DataError: nothing of a video decodes.
    """
    if config.frames:
        return _listed(sources, config.listed)
    if config.every:
        reason = f"one in {config.every} frames"
        return [[Place(at, 0, reason) for at in every(len(each.names), config.every)] for each in sources]
    counts = _shares(sources, config.number)
    return [_spread(len(source.names), count) for source, count in zip(sources, counts, strict=True)]


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
    from vsodtool.models.flow.dis import motion_estimator

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


def _shares(sources: Sequence[FrameSource], number: int) -> list[int]:
    """How many labels each video gets: by the root of its motion, and its length."""
    lengths = [len(source.names) for source in sources]
    if len(sources) == 1:
        return [min(number, lengths[0])]
    weights = [sqrt(motion(source)) * length for source, length in zip(sources, lengths, strict=True)]
    return share_out(weights, lengths, number)


def _spread(frames: int, count: int) -> list[Place]:
    indices = inset(frames, count) if count else []
    gap = min((after - before for before, after in pairwise(indices)), default=frames)
    near = min(NEAR, (gap - 1) // 2)
    reason = "evenly spaced" + (f", the sharpest of {2 * near + 1}" if near else "")
    return [Place(index, near, reason) for index in indices]


def _listed(sources: Sequence[FrameSource], words: Sequence[str]) -> list[list[Place]]:
    """The frames of `--frames`, by name, or by the number in it."""
    names = {source.video.name: number for number, source in enumerate(sources)}
    found: list[set[int]] = [set() for _ in sources]
    for word in words:
        video, _, frame = word.rpartition("/")
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
    if word.isdecimal():
        if source.video.kind == "file":
            numbers: list[int | str] = list(range(len(names)))
        else:
            numbers = frame_numbers(source.video.files, source.video.name)
        if numbers.count(int(word)) == 1:
            return numbers.index(int(word))
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
