"""What the parts of the work on a video cost, so that progress counts what takes time, not frames.

Milliseconds of one core (AMD EPYC) at 640x360, measured part by part; only their proportions matter.
"""

from __future__ import annotations

import threading
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass

from vsodtool.config.methods import METHODS
from vsodtool.ops.labels.temporal_smoothing import REACH
from vsodtool.pipelines.densify.choosing.hidden_labels import HiddenTest, Trying

FLOW = {"fast": 12.0, "balanced": 24.0, "best": 45.0}  # both ways between two neighbours
SIDE = 12.0  # what one label says about a frame
MAKE = {"warp": 15.0}  # a label made of that
MAKE_LEARNED = 95.0  # by a network, its first guess included
WALK = {"sam2": 8000.0}  # a frame of one object in one direction, by a method that walks; at its own size
TRACK_LOOK = 370.0  # what the tracker sees in a frame
TRACK_WALK = 40.0  # a frame followed from one label
TRACKED = 0.4  # of the gaps between two labels are in doubt and followed
FINISH = 15.0  # smoothed and written
OVERLAY = 15.0  # a frame drawn and encoded


@dataclass(frozen=True)
class Prices:
    """What pieces of work cost.

    Attributes:
        flow: between two neighbours, both ways.
        seen: a frame to which the first of two labels is carried: flow, and what that label says.
        made: a frame that is made then, with what the second label says.
        made_from_one: a frame that is made from one label: all of it.
    """

    flow: float
    seen: float
    made: float
    made_from_one: float

    @classmethod
    def of(cls, method: str, quality: str) -> Prices:
        """Those of a method; all but warp have networks."""
        if method in WALK:
            walk = WALK[method]
            return cls(0.0, walk, walk + FINISH, walk + FINISH)
        line = METHODS.get(method)
        thinned = line is not None and quality in line.thinned  # by fine flow; gaps are hardly ever too short
        flow = FLOW["balanced" if thinned else quality]
        seen = flow + SIDE
        make = MAKE.get(method, MAKE_LEARNED) / (2 if thinned else 1) + FINISH
        return cls(flow, seen, SIDE + make, seen + make)

    def test(self, test: HiddenTest, methods: Sequence[str]) -> float:
        """A hidden label made again: flow all the way, one frame by each method, and what smooths it."""
        walked = sum(WALK.get(method, 0.0) for method in methods) * (test.right - test.left)
        if test.trying is Trying.AGAIN:
            walked = 0.0
        frames = 1 if test.trying is Trying.BARE else min(2 * REACH + 1, test.right - test.left - 1)
        made = sum(MAKE.get(method, MAKE_LEARNED) for method in methods if method not in WALK)
        flow = self.flow * (test.right - test.left) + 2 * SIDE * frames if made else 0.0
        return walked + flow + made * frames

    def interval(self, targets: int, labels: int) -> float:
        """Frames between two labels, or beside one."""
        return targets * (self.made_from_one if labels == 1 else self.seen + self.made)

    def video(self, labelled: Sequence[int], missing: Sequence[int], followed: int | None) -> float:
        """All that is missing of a video.

        Args:
            labelled: indices of the labelled frames, ascending, at least one.
            missing: indices of the frames to make.
            followed: frames from every label beyond which objects are followed, too; None: they never are.
        """
        between, beside = to_fill(labelled, missing)
        cost = self.interval(between, 2) + self.interval(beside, 1)
        if followed is not None:
            between, beside = to_follow(labelled, missing, followed)
            cost += of_tracking(between, 2) + of_tracking(beside, 1)
        return cost


def of_tracking(targets: int, labels: int) -> float:
    """What it can be expected to cost to follow the objects of so many frames, from one label or two."""
    return (TRACKED if labels == 2 else 1.0) * targets * (TRACK_LOOK + labels * TRACK_WALK)


class Effort:
    """The work on a video, done and to do; may be told from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done = self._whole = 0.0

    def plan(self, cost: float) -> None:
        """There is that much more to do (less, if negative)."""
        with self._lock:
            self._whole += cost

    def spend(self, cost: float) -> None:
        """So much of it is done."""
        with self._lock:
            self._done += cost

    @property
    def share(self) -> float:
        """What is done of all, in [0, 1]; 0 where nothing is planned."""
        with self._lock:
            return min(1.0, self._done / self._whole) if self._whole > 0 else 0.0


def to_fill(labelled: Sequence[int], missing: Sequence[int]) -> tuple[int, int]:
    """How many frames to make lie between two labels, and how many beside one.

    Args:
        labelled: indices of the labelled frames, ascending, at least one.
        missing: indices of the frames to make.
    """
    between = sum(labelled[0] < index < labelled[-1] for index in missing)
    return between, len(missing) - between


def to_follow(labelled: Sequence[int], missing: Sequence[int], reach: int) -> tuple[int, int]:
    """As `to_fill`, of those intervals only that have a frame further than `reach` from every label."""
    gaps: dict[int, list[int]] = {}
    for index in missing:
        gaps.setdefault(bisect(labelled, index), []).append(index)
    far = [
        index
        for indices in gaps.values()
        if any(min(abs(index - label) for label in labelled) > reach for index in indices)
        for index in indices
    ]
    return to_fill(labelled, far)
