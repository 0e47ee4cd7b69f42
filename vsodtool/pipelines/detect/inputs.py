"""Decoded frames -> what a network sees of them: the picture, and motion once the next frames are known."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from functools import partial

from torch import Tensor

from vsodtool.ops.motion.frame_motion import frame_motion
from vsodtool.ops.motion.layout import REACH
from vsodtool.ops.network_image import to_network_image
from vsodtool.types import FlowEstimator, Frame

BeginMotion = Callable[[], Future[Tensor]]


@dataclass(frozen=True)
class FrameInput:
    """What a network sees of one frame.

    Attributes:
        index: number of the frame in the video.
        name: of the frame.
        image: uint8 (3, S, S), being made.
        motion: has its motion maps made, float16 (CHANNELS, S / 2, S / 2); None if the network sees none.
    """

    index: int
    name: str
    image: Future[Tensor]
    motion: BeginMotion | None


class FrameInputs:
    """The frames of one video on their way to the network.

    With motion a frame leaves when the REACH frames after it have come, or there are no more; 2 x REACH + 1
    small pictures are held. Neighbours are the frames that decode, in order. Flow is estimated only for
    frames whose maps are asked for, so that a run that continues has nothing to do for finished ones.
    """

    def __init__(self, size: int, pool: Executor, estimator: FlowEstimator | None) -> None:
        """Begin a video.

        Args:
            size: S, side of the network's images.
            pool: where pictures are resized and flow is estimated; tasks begin in the order in which they
                were submitted, as motion waits for pictures.
            estimator: of optical flow; None if the network sees no motion.
        """
        self._size, self._pool, self._estimator = size, pool, estimator
        self._waiting: deque[FrameInput] = deque()  # those whose successors have not all come
        self._pictures: dict[int, Future[Tensor]] = {}  # by position
        self._count = 0

    def add(self, frame: Frame) -> Iterator[FrameInput]:
        """The next frame that decoded; those that can leave now."""
        image = self._pool.submit(to_network_image, frame.rgb, self._size)
        self._waiting.append(FrameInput(frame.index, frame.name, image, None))
        self._pictures[self._count] = image
        self._count += 1
        if self._estimator is None or len(self._waiting) > REACH:
            yield self._leave()

    def end(self) -> Iterator[FrameInput]:
        """There are no more frames: those that are left."""
        while self._waiting:
            yield self._leave()

    def _leave(self) -> FrameInput:
        position, last = self._count - len(self._waiting), self._count - 1
        seen = self._waiting.popleft()
        if self._estimator is None:
            self._pictures.clear()
            return seen
        first = max(position - REACH, 0)
        for gone in [known for known in self._pictures if known < first]:
            del self._pictures[gone]
        # What lies further away is not looked at, so the video may as well begin and end here.
        within = {known: image for known, image in self._pictures.items() if known <= position + REACH}
        return replace(
            seen,
            motion=partial(self._pool.submit, _make_motion, within, position, first, last, self._estimator),
        )


def _make_motion(
    pictures: dict[int, Future[Tensor]], position: int, first: int, last: int, estimator: FlowEstimator
) -> Tensor:
    known = {neighbour: picture.result() for neighbour, picture in pictures.items()}
    return frame_motion(known, position, first, min(last, position + REACH), estimator)
