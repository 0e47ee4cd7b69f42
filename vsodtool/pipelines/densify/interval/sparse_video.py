"""A video with its sparse masks: which intervals need work, and which frames have to be read for it."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from torch import Tensor

from vsodtool.media.masks.sparse import MaskSet
from vsodtool.media.video.frames import FrameSource
from vsodtool.ops.shots.shots import ONE_SHOT, Shots
from vsodtool.pipelines.densify.interval.interval import Interval
from vsodtool.pipelines.densify.interval.streaming import stream_intervals
from vsodtool.pipelines.densify.interval.tensors import to_channels
from vsodtool.types import Frame

_SMALLEST = 1 / 8  # of the largest group that is handed out


@dataclass(frozen=True)
class SparseVideo:
    """A video with its sparse masks.

    Attributes:
        source: its frames.
        masks: of some of them.
        spill_folder: where frames of long intervals are put aside.
        shots: of the video.
    """

    source: FrameSource
    masks: MaskSet
    spill_folder: Path
    shots: Shots = ONE_SHOT

    def labels(self, frame: Frame) -> Tensor:
        """The label of a masked frame, see `LabelledFrame`."""
        return to_channels(self.masks.read(frame.name), self.masks.object_ids)

    def intervals(self, finished: Set[str], *, everything: bool = True) -> Iterator[Interval]:
        """The intervals with something to fill, see `stream_intervals`; each is made whole or not at all.

        Args:
            finished: names of frames that need no work.
            everything: decode all frames, once; else only those that the work needs.
        """
        done, lost = set(finished), set[int]()
        while True:
            needed = set(range(len(self.source.names))) if everything else self._needed(done, lost)
            if not needed:
                return
            seen = set[int]()
            for interval in self._stream(needed, done, seen):
                if not self._is_whole(interval, needed):  # a label that bounds it does not decode
                    interval.frames.close()
                    continue
                done.update(self.source.names[index] for index in interval.targets)
                yield interval
            missing = needed.intersection(self._labelled) - seen - lost
            if everything or not missing:
                return
            lost |= missing

    def groups(self, finished: Set[str], most: int) -> list[Sequence[str]]:
        """Frames that need work, in groups of whole intervals; nothing is decoded.

        Groups of the first half of the video become smaller towards its start. As workers take the largest
        ones first, small ones are left for the end, when others would wait for the last to be done; and
        those at the start cost least, as a video file is decoded from there.

        Args:
            finished: names of frames that need no work.
            most: frames of a group, of which one interval may have more.

        Returns:
            Names of frames, in order.
        """
        intervals = [[self.source.names[index] for index in interval] for interval in self._split()]
        needed = [names for names in intervals if any(name not in finished for name in names)]
        count = left = sum(map(len, needed))
        groups: list[list[str]] = []
        limit = 0.0
        for names in reversed(needed):
            if not groups or len(groups[-1]) + len(names) > limit:
                groups.append([])
                limit = most * min(1.0, max(_SMALLEST, 2 * left / count))
            groups[-1][:0] = names
            left -= len(names)
        return list(reversed(groups))

    def _split(self) -> Iterator[range]:
        """The frames between labels and cuts, shot by shot."""
        for shot in self.shots.split(len(self.source.names)):
            bounds = [index for index in self._labelled if index in shot]
            for first, last in pairwise((shot.start - 1, *bounds, shot.stop)):
                if last - first > 1:
                    yield range(first + 1, last)

    def _stream(self, needed: Set[int], done: Set[str], seen: set[int]) -> Iterator[Interval]:
        source, everything = self.source, len(needed) == len(self.source.names)

        def targets(between: list[int]) -> list[int]:
            # Its frames need each other.
            return [] if all(source.names[index] in done for index in between) else between

        def told() -> Iterator[Frame]:
            for frame in source if everything else source.select(needed):
                seen.add(frame.index)
                yield frame

        labelled = frozenset(self.masks.names)
        frames = None if everything else told()
        return stream_intervals(
            source, labelled, self.labels, targets, self.spill_folder, shots=self.shots, frames=frames
        )

    @cached_property
    def _labelled(self) -> list[int]:
        """Indices of the labelled frames, ascending."""
        names = frozenset(self.masks.names)
        return [index for index, name in enumerate(self.source.names) if name in names]

    def _needed(self, done: Set[str], lost: Set[int]) -> set[int]:
        """The frames of all intervals in which one is not done, labels included; lost labels bound none."""
        bounds = [index for index in self._labelled if index not in lost]
        needed = set[int]()
        for index, name in enumerate(self.source.names):
            if name not in done and index not in needed:
                at = bisect(bounds, index)
                shot = self._shot(index)
                first = max(bounds[at - 1] if at else 0, shot.start)
                last = min(bounds[at] if at < len(bounds) else shot[-1], shot[-1])
                needed.update(range(first, last + 1))
        return needed

    def _is_whole(self, interval: Interval, needed: Set[int]) -> bool:
        shot = self._shot(interval.sequence[0])
        first = interval.left.index if interval.left else shot.start
        last = interval.right.index if interval.right else shot[-1]
        return needed >= set(range(first, last + 1))

    def _shot(self, index: int) -> range:
        return self.shots.around(index, len(self.source.names))
