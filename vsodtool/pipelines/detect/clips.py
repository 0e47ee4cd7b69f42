"""Frames of a video in order -> their saliency, averaged over the clips that they are in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from vsodtool.models.rcrnet.network import FrameFeatures
from vsodtool.ops.clips import ClipSchedule
from vsodtool.pipelines.detect.features import FeatureStore

if TYPE_CHECKING:
    from vsodtool.models.detector.detector import Detector
    from vsodtool.pipelines.detect.inputs import BeginMotion


@dataclass(frozen=True)
class Batching:
    """What goes through the network together.

    Attributes:
        clip_length: frames of a clip.
        stride: from clip to clip, 1 ... clip_length.
        clips: that are related at once.
        frames: that are encoded, or decoded, at once.
        at_once: pieces of work that keep the pool busy.
    """

    clip_length: int
    stride: int
    clips: int
    frames: int
    at_once: int


@dataclass
class _Batch:
    """Clips of equal length on their way: features, then `related`, then `maps`."""

    clips: list[range]
    related: Future[Tensor] | None = None
    maps: deque[tuple[Sequence[int], Future[Tensor]]] | None = None  # positions, and their maps

    def running(self) -> list[Future[Tensor]]:
        if self.maps is not None:
            return [future for _, future in self.maps if not future.done()]
        return [self.related] if self.related is not None and not self.related.done() else []


@dataclass
class _Sum:
    """The maps of one frame, so far."""

    name: str
    total: Tensor = field(default_factory=lambda: torch.zeros(()))
    count: int = 0


class ClipDetection:
    """The network over one video. Everything but the network itself happens in the calling thread.

    Results are summed in the order of the clips, whichever of them is finished first. Memory does not grow
    with the length of the video: it holds the features of `clip_length` frames and a few more.
    """

    def __init__(
        self,
        detector: Detector,
        batching: Batching,
        pool: Executor,
        *,
        announced: int,
        wanted: Callable[[str], bool],
    ) -> None:
        """Begin a video.

        Args:
            detector: the network; called from the threads of the pool.
            batching: what goes through it together.
            pool: where it runs.
            announced: frames that the video should have.
            wanted: whether the frame of this name needs a map; clips without such frames are left out.
        """
        self._detector, self._batching, self._pool, self._wanted = detector, batching, pool, wanted
        self._schedule = ClipSchedule(batching.clip_length, batching.stride)
        self._store = FeatureStore(detector, pool, batching.frames)
        self._announced = self._expected = announced
        self._position = 0
        self._ended = False
        self._sums: dict[int, _Sum] = {}  # frames that wait for their map, by position
        self._collected: list[range] = []  # clips of the batch that is being put together
        self._batches: deque[_Batch] = deque()

    def add(self, index: int, name: str, image: Future[Tensor], motion: BeginMotion | None = None) -> None:
        """The next frame that decoded.

        Args:
            index: number of the frame in the video: its position, and more where frames did not decode.
            name: of the frame.
            image: uint8 (3, S, S).
            motion: see `FrameInput`.
        """
        wanted = self._wanted(name)
        if wanted:
            self._sums[self._position] = _Sum(name)
        self._store.add(image, motion, wanted=wanted)
        self._expected = self._announced - (index - self._position)
        self._position += 1
        self._collect(self._schedule.add())

    def known(self) -> Iterator[tuple[str, Tensor]]:
        """Names and probabilities (1, 1, S, S) of the frames that are finished by now, in order.

        It waits while more work is begun than keeps the pool busy, or more features are held than need be.
        """
        while True:
            running = self._advance()
            yield from self._settled()
            if not running or (len(running) <= self._batching.at_once and not self._is_far_ahead()):
                return
            wait(running, return_when=FIRST_COMPLETED)

    def rest(self) -> Iterator[tuple[str, Tensor]]:
        """There are no more frames: what is left of them, as `known`."""
        self._ended = True
        self._store.end()
        self._collect(self._schedule.end())
        self._close_batch()
        while self._batches:
            wait(self._advance(), return_when=FIRST_COMPLETED)  # nothing running: more can begin
            yield from self._settled()
        yield from self._settled()

    def _is_far_ahead(self) -> bool:
        """Whether the frames after the oldest clip at work would fill another one, and the pool."""
        batching = self._batching
        most = 2 * batching.clip_length * batching.clips + batching.at_once * batching.frames
        return bool(self._batches) and self._position - self._batches[0].clips[0].start > most

    def _collect(self, clip: range | None) -> None:
        if clip is None:
            return
        # A batch is left out or made as a whole, as it would have been without an interruption.
        self._collected.append(clip)
        if len(self._collected) == self._batching.clips:
            self._close_batch()

    def _close_batch(self) -> None:
        clips, self._collected = self._collected, []
        if any(position in self._sums for clip in clips for position in clip):
            self._batches.append(_Batch(clips))

    def _advance(self) -> list[Future[Any]]:
        """Begin what can begin, take what is finished; what runs."""
        for batch in self._batches:
            if batch.related is None and self._encoded(batch):
                batch.related = self._pool.submit(self._relate, batch.clips)
            if batch.maps is None and batch.related is not None and batch.related.done():
                batch.maps = self._decode(batch.clips, batch.related.result())
        while self._batches and self._batches[0].maps is not None and self._add_up(self._batches[0].maps):
            self._batches.popleft()
        waiting = [batch.clips[0].start for batch in self._batches if batch.maps is None]
        waiting += [clip.start for clip in self._collected]
        self._store.forget(
            min([self._schedule.first_needed(), *waiting]),
            min([self._schedule.first_needed(self._expected), *waiting]),
        )
        return [*self._store.running(), *(future for batch in self._batches for future in batch.running())]

    def _encoded(self, batch: _Batch) -> bool:
        """Have the features of a batch computed, of all its clips at once; whether they are there."""
        ready = [self._store.begin(clip) for clip in batch.clips]
        return all(ready)

    def _relate(self, clips: list[range]) -> Tensor:
        """Context (T, B, C, h, w) of clips."""
        context = [
            torch.cat([self._store.get(clip[frame]).context for clip in clips])
            for frame in range(len(clips[0]))
        ]
        return self._detector.relate(torch.stack(context))

    def _decode(self, clips: list[range], related: Tensor) -> deque[tuple[Sequence[int], Future[Tensor]]]:
        """Begin the maps of clips, a few frames at a time; pieces that nobody waits for are left out."""
        maps: deque[tuple[Sequence[int], Future[Tensor]]] = deque()
        for number, clip in enumerate(clips):
            for start in range(0, len(clip), self._batching.frames):
                part = slice(start, start + self._batching.frames)
                if any(position in self._sums for position in clip[part]):
                    features = [self._store.get(position) for position in clip[part]]
                    future = self._pool.submit(self._decode_frames, features, related[part, number])
                    maps.append((clip[part], future))
        return maps

    def _decode_frames(self, features: list[FrameFeatures], context: Tensor) -> Tensor:
        return self._detector.decode(FrameFeatures.join(features), context)

    def _add_up(self, maps: deque[tuple[Sequence[int], Future[Tensor]]]) -> bool:
        """Add the maps that are finished, from the left on; whether all are."""
        while maps and maps[0][1].done():
            positions, future = maps.popleft()
            for position, values in zip(positions, torch.split(future.result(), 1), strict=True):
                known = self._sums.get(position)
                if known is not None:
                    known.total, known.count = known.total + values, known.count + 1
        return not maps

    def _settled(self) -> Iterator[tuple[str, Tensor]]:
        """The frames that no clip to come holds."""
        starts = [
            *(batch.clips[0].start for batch in self._batches),
            *(clip.start for clip in self._collected),
        ]
        end = self._position if self._ended else self._schedule.first_needed()
        first_open = min([end, *starts])
        while self._sums and (position := next(iter(self._sums))) < first_open:
            known = self._sums.pop(position)
            yield known.name, known.total / known.count
