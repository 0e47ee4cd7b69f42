"""Maps of a video on their way to the writer, each steadied by those around it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass

import torch
from torch import Tensor

from vsodtool.ops.labels.temporal_smoothing import from_log_odds, log_odds
from vsodtool.ops.motion.average import Link, average_along_motion, link
from vsodtool.pipelines.detect.inputs import PairFlows
from vsodtool.types import FlowEstimator

BLOCK = 32  # frames that are smoothed together
REACH = 24  # frames before and behind them that have a say
SURER = 1.4  # what many agree on is surer than what one says; benchmarks/TRIED.md, "Smoothing of predict"


@dataclass(frozen=True)
class _Block:
    """Frames to be smoothed, and those that are looked at for that, by their numbers in the video."""

    inside: range
    window: range


class NoSmoothing:
    """The maps of one video as they are: the methods of `SaliencySmoothing`."""

    def __init__(self, finished: frozenset[str]) -> None:
        self._finished = finished

    def wants(self, name: str) -> bool:
        """Whether the network has to look at a frame."""
        return name not in self._finished

    def see(self, number: int, image: Future[Tensor], behind: PairFlows | None = None) -> None:
        """The next frame that decoded."""

    def smooth(self, known: Iterator[tuple[str, Tensor]]) -> Iterator[tuple[str, Tensor]]:
        """The same."""
        return known

    def rest(self, known: Iterator[tuple[str, Tensor]]) -> Iterator[tuple[str, Tensor]]:
        """The same."""
        return known


class SaliencySmoothing:
    """The maps of one video, block by block.

    A block's maps are a function of the frames of its window alone, however often the run was interrupted; so
    blocks that are not finished are made anew as a whole. Memory does not grow with the video: it holds the
    frames of a window or two.
    """

    def __init__(
        self, names: Sequence[str], finished: frozenset[str], pool: Executor, estimator: FlowEstimator
    ) -> None:
        """Begin a video.

        Args:
            names: of all its frames, in order.
            finished: those that need no map.
            pool: where flow is estimated and maps are averaged; tasks begin in the order in which they were
                submitted, as later ones wait for earlier ones.
            estimator: of optical flow.
        """
        self._numbers = {name: number for number, name in enumerate(names)}
        self._names, self._finished = names, finished
        self._pool, self._estimator = pool, estimator
        self._blocks = deque(_blocks(names, finished))
        self._needed = {number for block in self._blocks for number in block.window}
        self._odds: dict[int, Tensor] = {}
        self._links: dict[int, Future[Link]] = {}  # between a frame that decoded and the one before it
        self._last: tuple[int, Future[Tensor]] | None = None
        self._smoothed: deque[Future[list[tuple[str, Tensor]]]] = deque()

    def wants(self, name: str) -> bool:
        """Whether the network has to look at a frame."""
        return self._numbers[name] in self._needed

    def see(self, number: int, image: Future[Tensor], behind: PairFlows | None = None) -> None:
        """The next frame that decoded, uint8 (3, S, S), and the flows between it and the one before it.

        Where these are not given, they are estimated.
        """
        before, self._last = self._last, (number, image)
        if before is not None and number in self._needed and before[0] in self._needed:
            pair = behind or PairFlows(before[1], image, self._pool, self._estimator)
            self._links[number] = self._pool.submit(_link, before[1], image, pair.begin())

    def smooth(self, known: Iterator[tuple[str, Tensor]]) -> Iterator[tuple[str, Tensor]]:
        """Names and probabilities (1, 1, S, S) in order -> those that are settled by now, steadied."""
        for name, probabilities in known:
            number = self._numbers[name]
            self._odds[number] = log_odds(probabilities).half()
            while self._blocks and number >= self._blocks[0].window[-1]:
                self._begin(self._blocks.popleft())
            yield from self._ready(wait=len(self._smoothed) > 1)
        yield from self._ready(wait=False)

    def rest(self, known: Iterator[tuple[str, Tensor]]) -> Iterator[tuple[str, Tensor]]:
        """There are no more frames: the last ones of `known`, and all that is left."""
        yield from self.smooth(known)
        while self._blocks:
            self._begin(self._blocks.popleft())
        yield from self._ready(wait=True)

    def _begin(self, block: _Block) -> None:
        present = [number for number in block.window if number in self._odds]
        odds = [self._odds[number] for number in present]
        links = [self._links[number] for number in present[1:]]
        answered = {
            place: self._names[number]
            for place, number in enumerate(present)
            if number in block.inside and self._names[number] not in self._finished
        }
        self._smoothed.append(self._pool.submit(_smooth, odds, links, answered))
        first = self._blocks[0].window[0] if self._blocks else len(self._names)
        for gone in [number for number in self._odds if number < first]:
            del self._odds[gone]
        for gone in [number for number in self._links if number <= first]:
            del self._links[gone]

    def _ready(self, *, wait: bool) -> Iterator[tuple[str, Tensor]]:
        while self._smoothed and (wait or self._smoothed[0].done()):
            yield from self._smoothed.popleft().result()


def _blocks(names: Sequence[str], finished: frozenset[str]) -> Iterator[_Block]:
    count = len(names)
    for start in range(0, count, BLOCK):
        inside = range(start, min(start + BLOCK, count))
        if not finished.issuperset(names[start : start + BLOCK]):
            yield _Block(inside, range(max(start - REACH, 0), min(inside.stop + REACH, count)))


@torch.inference_mode()
def _link(earlier: Future[Tensor], later: Future[Tensor], flows: Future[Tensor]) -> Link:
    first, second = (image.result()[None].float().div_(255) for image in (earlier, later))
    return link(first, second, flows.result())


@torch.inference_mode()
def _smooth(
    odds: list[Tensor], links: list[Future[Link]], answered: dict[int, str]
) -> list[tuple[str, Tensor]]:
    """Names and probabilities (1, 1, S, S) of the frames at the places of `answered`."""
    means = average_along_motion([frame.float() for frame in odds], [pair.result() for pair in links])
    return [(name, from_log_odds(SURER * means[place])) for place, name in answered.items()]
