"""Decoded frames -> what a network sees of them: the picture, and motion once the next frames are known."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from vsodtool.ops.motion.frame_motion import frame_motion
from vsodtool.ops.motion.layout import REACH
from vsodtool.ops.network_image import to_network_image
from vsodtool.types import FlowEstimator, Frame

BeginMotion = Callable[[], Future[Tensor]]
_ASKED = 3  # times that the flows of a pair are asked for, where nothing is made again


@dataclass(frozen=True)
class FrameInput:
    """What a network sees of one frame.

    Attributes:
        index: number of the frame in the video.
        name: of the frame.
        image: uint8 (3, S, S), being made.
        motion: has its motion maps made, float16 (CHANNELS, S / 2, S / 2); None if the network sees none.
        behind: the flows between it and the frame before it; None if there is none or the network sees none.
    """

    index: int
    name: str
    image: Future[Tensor]
    motion: BeginMotion | None
    behind: PairFlows | None = None


class PairFlows:
    """The flows between a frame and the next one, asked for by the motion maps of both and by smoothing.

    Estimated when somebody asks, and forgotten when all of these have.
    """

    def __init__(
        self, earlier: Future[Tensor], later: Future[Tensor], pool: Executor, estimator: FlowEstimator
    ) -> None:
        """Of two pictures, uint8 (3, S, S), on which the pool is at work."""
        self._pictures, self._pool, self._estimator = (earlier, later), pool, estimator
        self._flows: Future[Tensor] | None = None
        self._left = _ASKED

    def begin(self) -> Future[Tensor]:
        """From the earlier to the later frame, and back (2, 2, S, S); always from the same thread."""
        if self._flows is None:
            self._flows = self._pool.submit(_estimate, *self._pictures, self._estimator)
            self._left = _ASKED
        flows = self._flows
        self._left -= 1
        if not self._left:
            self._flows = None
        return flows


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
        self._pairs: dict[int, PairFlows] = {}  # by position of the later frame
        self._count = 0

    def add(self, frame: Frame) -> Iterator[FrameInput]:
        """The next frame that decoded; those that can leave now."""
        image = self._pool.submit(to_network_image, frame.rgb, self._size)
        before = self._pictures.get(self._count - 1)
        if self._estimator is not None and before is not None:
            self._pairs[self._count] = PairFlows(before, image, self._pool, self._estimator)
        self._waiting.append(FrameInput(frame.index, frame.name, image, None, self._pairs.get(self._count)))
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
        estimator = self._estimator
        if estimator is None:
            self._pictures.clear()
            return seen
        first = max(position - REACH, 0)
        for gone in [known for known in self._pictures if known < first]:
            del self._pictures[gone]
        self._pairs.pop(position - 1, None)
        # What lies further away is not looked at, so the video may as well begin and end here.
        within = {known: image for known, image in self._pictures.items() if known <= position + REACH}
        ends = first, min(last, position + REACH)
        beside = {
            position + step: (pair, way)
            for step, pair, way in (
                (-1, self._pairs.get(position), 1),
                (1, self._pairs.get(position + 1), 0),
            )
            if pair is not None
        }

        def begin() -> Future[Tensor]:
            known = {neighbour: (pair.begin(), way) for neighbour, (pair, way) in beside.items()}
            return self._pool.submit(_make_motion, within, position, ends, estimator, known)

        return replace(seen, motion=begin)


@torch.inference_mode()
def _estimate(earlier: Future[Tensor], later: Future[Tensor], estimator: FlowEstimator) -> Tensor:
    one, other = (picture.result()[None].float() / 255 for picture in (earlier, later))
    return estimator.estimate(torch.cat((one, other)), torch.cat((other, one)))


def _make_motion(
    pictures: dict[int, Future[Tensor]],
    position: int,
    ends: tuple[int, int],
    estimator: FlowEstimator,
    known: dict[int, tuple[Future[Tensor], int]],
) -> Tensor:
    images = {neighbour: picture.result() for neighbour, picture in pictures.items()}
    flows = {neighbour: pair.result()[way, None] for neighbour, (pair, way) in known.items()}
    return frame_motion(images, position, *ends, estimator, known=flows)
