"""The shots of a video: stretches of frames across whose borders nothing is carried."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Shots:
    """Where they begin.

    Attributes:
        cuts: index of the first frame of every shot but the first, ascending; none for a single shot.
    """

    cuts: tuple[int, ...] = ()

    def of(self, index: int) -> int:
        """The number of the shot that a frame belongs to, from 0."""
        return bisect_right(self.cuts, index)

    def around(self, index: int, count: int) -> range:
        """The frames of the shot that a frame belongs to, in a video of `count` frames."""
        return self.split(count)[self.of(index)]

    def split(self, count: int) -> list[range]:
        """The frames of all shots of a video of `count` frames, in order."""
        bounds = [0, *self.cuts, count]
        return [range(first, end) for first, end in pairwise(bounds)]


ONE_SHOT = Shots()
