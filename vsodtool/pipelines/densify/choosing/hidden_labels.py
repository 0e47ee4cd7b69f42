"""Which of a video's own labels to hide, so that methods can be tried on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from math import log

import numpy as np

from vsodtool.media.masks.sparse import MaskSet
from vsodtool.media.video.frames import FrameSource
from vsodtool.ops.shots.shots import ONE_SHOT, Shots
from vsodtool.ops.suggesting.reach import reach, reaches

MOST = 4  # tests per video
LEAST = 2  # as many tests as are made whatever they cost
SHARE = 0.25  # of the video's frames that more tests than LEAST may walk through
ALIKE = 2.0  # a test that reaches this many times as far as another one is as good a choice


class Trying(StrEnum):
    """Who makes a hidden label again, and how."""

    BARE = "bare"  # every method, without its neighbours: the least work
    SMOOTHED = "smoothed"  # every method, steadied by its neighbours where the run steadies it
    AGAIN = "again"  # those that the run steadies, steadied: what BARE has told of the others stays


@dataclass(frozen=True)
class HiddenTest:
    """A label to hide, and the two from which it is made again.

    Attributes:
        left: index of the frame of the label before it.
        hidden: of its own frame.
        right: of that of the label after it.
        trying: who makes it again, and how.
    """

    left: int
    hidden: int
    right: int
    trying: Trying = Trying.BARE


@dataclass(frozen=True)
class TrialSchedule:
    """What is to be tried on a video, and if nothing, why.

    Attributes:
        tests: by the index of the hidden frame, ascending.
        reason: in words, "" where there are tests.
        more: for where these leave a doubt, see `trial.further_tests`; likewise.
    """

    tests: list[HiddenTest]
    reason: str = ""
    more: list[HiddenTest] = field(default_factory=list)


def schedule_trial(source: FrameSource, masks: MaskSet, shots: Shots = ONE_SHOT) -> TrialSchedule:
    """Choose the labels of a video to hide; reads the masks that this depends on.

    The labels before and after a hidden one are of its shot.
    """
    if len(masks.names) < 3:
        return TrialSchedule([], "fewer than 3 labelled frames")
    if len(masks.names) == len(source.names):
        return TrialSchedule([], "every frame is labelled")
    index_of = {name: index for index, name in enumerate(source.names)}
    labels = [index_of[name] for name in masks.names]

    @cache
    def shows_something(position: int) -> bool:
        return bool(masks.read(masks.names[position]).any())

    def usable(position: int) -> bool:
        # From two empty labels every method makes an empty one.
        return shows_something(position - 1) or shows_something(position + 1)

    chosen, more = (
        [HiddenTest(labels[at - 1], labels[at], labels[at + 1]) for at in positions]
        for positions in select_hidden(labels, len(source.names), usable, shots)
    )
    return TrialSchedule(chosen, "" if chosen else "no label beside a hidden one shows an object", more)


def typical_reach(labels: Sequence[int], frames: int, shots: Shots = ONE_SHOT) -> float:
    """The median reach of the frames to fill; the distance is meant where a frame has one label only.

    Args:
        labels: indices of the labelled frames, ascending, at least one.
        frames: number of frames of the video.
        shots: of the video.

    Returns:
        0 where no frame is to be filled.
    """
    far = reaches(labels, frames, shots.cuts)
    return float(np.median(far[far > 0])) if far.any() else 0.0


def misfit(found: float, wanted: float) -> float:
    """How badly a test of one reach stands for frames of another one; 0 where they are equal.

    Counted by factors. Too short a reach counts twice: what every method gets right tells nothing.
    """
    factor = log(found / wanted)
    return factor if factor > 0 else -2 * factor


def select_hidden(
    labels: Sequence[int],
    frames: int,
    usable: Callable[[int], bool] = lambda _: True,
    shots: Shots = ONE_SHOT,
) -> tuple[list[int], list[int]]:
    """Choose the labels to hide, and those to hide if the first ones leave a doubt.

    A hidden label k is made again from the labels k - 1 and k + 1, so its interval is longer than those that
    are to be filled: twice as long where labels are evenly spaced. Chosen are labels whose reach comes
    closest to that of the frames to fill, spread over the labels of the video: at most MOST, and so many
    fewer, down to LEAST, that their intervals hold no more than SHARE of the video's frames. In doubt the
    others of the MOST are hidden, too.

    Args:
        labels: indices of the labelled frames, ascending.
        frames: number of frames of the video.
        usable: whether hiding the label at this position in `labels` would tell anything; asked for few.
        shots: of the video; a hidden label and the two beside it are of one.

    Returns:
        Positions in `labels`, ascending, of both; none where no frame is to be filled or there are fewer than
        three.
    """
    if len(labels) < 3 or len(labels) == frames:
        return [], []
    wanted = typical_reach(labels, frames, shots)
    misfits = {
        position: misfit(reach(here - before, after - here), wanted)
        for position, (before, here, after) in enumerate(zip(labels, labels[1:], labels[2:], strict=False), 1)
        if shots.of(before) == shots.of(after)
    }
    if not misfits:
        return [], []
    fitting = [at for at, value in misfits.items() if value <= min(misfits.values()) + log(ALIKE)]
    most = chosen = _spread(fitting, MOST, misfits, usable)
    for count in range(MOST - 1, LEAST - 1, -1):
        walked = sum(labels[position + 1] - labels[position - 1] for position in chosen)
        if len(chosen) <= LEAST or walked <= SHARE * frames:
            break
        chosen = _spread(fitting, count, misfits, usable)
    return chosen, [position for position in most if position not in chosen]


def _spread(
    fitting: Sequence[int], count: int, misfits: Mapping[int, float], usable: Callable[[int], bool]
) -> list[int]:
    """The best usable one of each of `count` neighbourhoods, and for those that have none the next best."""
    count = min(count, len(fitting))
    chosen: list[int] = []
    for number in range(count):
        middle = len(fitting) * (number + 0.5) / count - 0.5
        places = range(len(fitting) * number // count, len(fitting) * (number + 1) // count)
        ranked = sorted(places, key=lambda place: (misfits[fitting[place]], abs(place - middle)))
        chosen += [fitting[place] for place in ranked if usable(fitting[place])][:1]
    for position in sorted(set(fitting) - set(chosen), key=misfits.__getitem__):
        if len(chosen) == count:
            break
        if usable(position):
            chosen.append(position)
    return sorted(chosen)
