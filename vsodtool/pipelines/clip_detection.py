"""Frames of a video in order -> their saliency, averaged over the clips that they are in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vsodtool.models.rcrnet import FrameFeatures
from vsodtool.ops.clips import ClipSchedule
from vsodtool.pipelines.frame_features import FeatureStore

if TYPE_CHECKING:
    from torch import Tensor

    from vsodtool.models.detector import Detector


@dataclass(frozen=True)
class Batching:
    """What goes through the network together.

    Attributes:
        clip_length: frames of a clip.
        stride: from clip to clip, 1 ... clip_length.
        clips: that are related at once.
        frames: neighbouring ones whose features are computed at once.
        at_once: pieces of work that keep the pool busy.
    """

    clip_length: int
    stride: int
    clips: int
    frames: int
    at_once: int


@dataclass
class _Batch:
    """Clips of equal length; `maps` is None until their features are there."""

    clips: list[range]
    maps: Future[Tensor] | None = None


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
        self._announced = announced
        self._schedule = ClipSchedule(batching.clip_length, batching.stride)
        self._store = FeatureStore(detector, pool, batching.frames)
        self._expected = announced
        self._position = 0
        self._ended = False
        self._names: dict[int, str] = {}  # frames that wait for their map
        self._sums: dict[int, tuple[Tensor, int]] = {}
        self._collected: list[range] = []  # clips of the batch that is being put together
        self._batches: deque[_Batch] = deque()

    def add(self, index: int, name: str, image: Future[Tensor]) -> None:
        """The next frame that decoded.

        Args:
            index: number of the frame in the video: its position, and more where frames did not decode.
            name: of the frame.
            image: uint8 (3, S, S).
        """
        wanted = self._wanted(name)
        if wanted:
            self._names[self._position] = name
        self._store.add(image, wanted=wanted)
        self._expected = self._announced - (index - self._position)
        self._position += 1
        self._collect(self._schedule.add())

    def end(self) -> None:
        """There are no more frames."""
        self._ended = True
        self._store.end()
        self._collect(self._schedule.end())
        self._close_batch()

    def results(self, outstanding: int = 0) -> Iterator[tuple[str, Tensor]]:
        """Names and probabilities (1, 1, S, S) of the frames that are known by now, in order.

        Args:
            outstanding: waits until at most so many pieces of work are left.
        """
        while True:
            running = self._advance()
            yield from self._settled()
            if len(running) <= outstanding:
                return
            wait(running, return_when=FIRST_COMPLETED)

    def _collect(self, clip: range | None) -> None:
        if clip is None:
            return
        # A batch is left out or made as a whole, as it would have been without an interruption.
        self._collected.append(clip)
        if len(self._collected) == self._batching.clips:
            self._close_batch()

    def _close_batch(self) -> None:
        clips, self._collected = self._collected, []
        if any(position in self._names for clip in clips for position in clip):
            self._batches.append(_Batch(clips))

    def _advance(self) -> list[Future[Any]]:
        """Begin what can begin, take what is finished; what runs."""
        for batch in self._batches:
            if batch.maps is None and self._begin(batch):
                features = [
                    self._store.get(clip[frame])
                    for frame in range(len(batch.clips[0]))
                    for clip in batch.clips
                ]
                batch.maps = self._pool.submit(self._detect, features, len(batch.clips[0]))
        while self._batches and (maps := self._batches[0].maps) is not None and maps.done():
            self._add_up(self._batches.popleft().clips, maps.result())
        waiting = [batch.clips[0].start for batch in self._batches if batch.maps is None]
        self._store.forget(
            min([self._schedule.first_needed(), *waiting]),
            min([self._schedule.first_needed(self._expected), *waiting]),
        )
        maps_running = [batch.maps for batch in self._batches if batch.maps is not None]
        return [*self._store.running(), *(future for future in maps_running if not future.done())]

    def _begin(self, batch: _Batch) -> bool:
        """Have the features of a batch computed, of all its clips at once; whether they are there."""
        ready = [self._store.begin(clip) for clip in batch.clips]
        return all(ready)

    def _detect(self, features: list[FrameFeatures], frames: int) -> Tensor:
        return self._detector.detect(FrameFeatures.join(features), frames)

    def _add_up(self, clips: list[range], maps: Tensor) -> None:
        for number, clip in enumerate(clips):
            for frame, position in enumerate(clip):
                if position in self._names:
                    values = maps[frame, number : number + 1]
                    before, count = self._sums.get(position, (None, 0))
                    self._sums[position] = (values if before is None else before + values, count + 1)

    def _settled(self) -> Iterator[tuple[str, Tensor]]:
        """The frames that no clip to come holds."""
        clips = [*(batch.clips[0] for batch in self._batches), *self._collected]
        end = self._position if self._ended else self._schedule.first_needed()
        first_open = min([end, *(clip.start for clip in clips)])
        while self._names and (position := next(iter(self._names))) < first_open:
            total, count = self._sums.pop(position)
            yield self._names.pop(position), total if count == 1 else total / count
