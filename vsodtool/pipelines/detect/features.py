"""Features of the frames that clips still need: computed in groups, in a pool, once per frame."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from vsodtool.models.detector.detector import Detector
    from vsodtool.models.rcrnet.network import FrameFeatures
    from vsodtool.pipelines.detect.inputs import BeginMotion


@dataclass
class _Group:
    """Neighbouring frames that go through the network together."""

    images: list[Future[Tensor]] = field(default_factory=list)
    motions: list[BeginMotion] = field(default_factory=list)  # of each image, or none at all
    wanted: bool = False
    features: Future[list[FrameFeatures]] | None = None


class FeatureStore:
    """Images go in one by one, features come out by position.

    Groups begin at multiples of `group`, whatever is asked for: which frames are computed together changes
    the last digits, and a run that was interrupted must come to the same maps as one that was not.
    """

    def __init__(self, detector: Detector, pool: Executor, group: int) -> None:
        self._detector, self._pool, self._size = detector, pool, group
        self._groups: dict[int, _Group] = {}
        self._count = 0
        self._ended = False

    def add(self, image: Future[Tensor], motion: BeginMotion | None = None, *, wanted: bool) -> None:
        """The next frame (see `FrameInput`); if `wanted`, its group is begun as soon as it is full."""
        group = self._groups.setdefault(self._count // self._size, _Group())
        group.images.append(image)
        if motion is not None:
            group.motions.append(motion)
        group.wanted = group.wanted or wanted
        self._count += 1
        if group.wanted:
            self._begin(group)

    def end(self) -> None:
        """There are no more frames: the last group is complete as it is."""
        self._ended = True
        for group in self._groups.values():
            if group.wanted:
                self._begin(group)

    def begin(self, positions: range) -> bool:
        """Have the features of these frames computed; whether all of them are there.

        The group that still waits for frames is begun later.
        """
        groups = [self._groups[number] for number in self._numbers(positions)]
        for group in groups:
            group.wanted = True
            self._begin(group)
        return all(group.features is not None and group.features.done() for group in groups)

    def get(self, position: int) -> FrameFeatures:
        """The features of one frame that `begin` was called for."""
        group = self._groups[position // self._size]
        assert group.features is not None, "begin the frames first"
        return group.features.result()[position % self._size]

    def running(self) -> list[Future[list[FrameFeatures]]]:
        """What is being computed."""
        futures = [group.features for group in self._groups.values() if group.features is not None]
        return [future for future in futures if not future.done()]

    def forget(self, frames_before: int, features_before: int) -> None:
        """Drop frames below the first position, and of those below the second one the features.

        Features are many times as large as images, and are computed again should they be needed after all.
        """
        for number in list(self._groups):
            end = (number + 1) * self._size
            if end <= frames_before:
                del self._groups[number]
            elif end <= features_before:
                group = self._groups[number]
                group.features, group.wanted = None, False

    def _begin(self, group: _Group) -> None:
        if group.features is None and (self._ended or len(group.images) == self._size):
            motions = [begin() for begin in group.motions]
            group.features = self._pool.submit(self._encode, list(group.images), motions)

    def _numbers(self, positions: range) -> range:
        return range(positions.start // self._size, (positions.stop - 1) // self._size + 1)

    def _encode(
        self, images: Sequence[Future[Tensor]], motions: Sequence[Future[Tensor]]
    ) -> list[FrameFeatures]:
        pictures = torch.stack([image.result() for image in images])
        if not motions:
            return self._detector.encode(pictures).split()
        maps = torch.stack([motion.result() for motion in motions])
        return self._detector.encode(pictures, maps).split()
