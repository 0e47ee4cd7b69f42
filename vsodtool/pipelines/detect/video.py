"""One video through `predict`: decoding, network and writing side by side."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass

from torch import Tensor

from vsodtool.checks import is_out_of_memory
from vsodtool.config.predict import PredictConfig
from vsodtool.errors import DeviceError
from vsodtool.media.output.resume import ResumeState
from vsodtool.media.video.frames import FrameSource
from vsodtool.models.detector.detector import Detector
from vsodtool.models.detector.motion_flow import motion_estimator
from vsodtool.pipelines.detect.clips import Batching, ClipDetection
from vsodtool.pipelines.detect.inputs import FrameInputs
from vsodtool.pipelines.detect.read_ahead import read_ahead
from vsodtool.pipelines.detect.smoothing import NoSmoothing, SaliencySmoothing
from vsodtool.pipelines.detect.writer import SaliencyWriter, salient_labels
from vsodtool.pipelines.running.reports import VideoReport
from vsodtool.pipelines.running.video_run import VideoRun
from vsodtool.types import Event, FrameRecord, FrameStatus, LabelArray, OnEvent

_FRAMES_AHEAD = 8  # decoded ones that wait for room
_WRITES_AHEAD = 16  # maps that wait to be written


@dataclass(frozen=True)
class Pools:
    """Threads for the network, and threads for what goes in and comes out of it."""

    network: Executor
    frames: Executor


@dataclass(frozen=True)
class PredictVideoReport(VideoReport):
    """What became of one video.

    Attributes:
        name: of the video.
        frames: that the video announces.
        generated: frames with a map, made by this run or an earlier one.
        skipped: frames that did not decode.
        confidence: mean over the generated frames, 1 where there are none.
        seconds: spent on it by this run.
    """

    generated: int
    skipped: int
    confidence: float
    seconds: float


class VideoPrediction(VideoRun[PredictVideoReport]):
    """The work on one video."""

    def __init__(
        self,
        source: FrameSource,
        state: ResumeState,
        on_event: OnEvent,
        *,
        config: PredictConfig,
        detector: Detector,
        batching: Batching,
        pools: Pools,
    ) -> None:
        super().__init__(source, state, on_event, overlay=config.overlay)
        self._config, self._detector, self._batching, self._pools = config, detector, batching, pools
        self._writing: deque[Future[FrameRecord]] = deque()

    def make(self) -> None:
        """Decoding, network and writing side by side."""
        try:
            self._fill()
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            raise _out_of_memory(self.name, self._detector) from error

    def labels(self, frame: str) -> LabelArray | None:
        """1 where the frame is salient."""
        return salient_labels(self.layout, self.name, frame)

    def report(self, seconds: float) -> PredictVideoReport:
        """What became of the video."""
        generated, skipped = self.count(FrameStatus.GENERATED), self.count(FrameStatus.SKIPPED)
        return PredictVideoReport(self.name, self.total, generated, skipped, self.confidence(), seconds)

    def _fill(self) -> None:
        count, length = self.total, self._batching.clip_length
        if count < length:
            text = f"{count} frames, fewer than a clip of {length}: one clip of {count}"
            self.on_event(Event("notice", self.name, text))
        finished = frozenset(self.records)
        smoothing = self._smoothing(finished)
        detection = ClipDetection(
            self._detector, self._batching, self._pools.network, announced=count, wanted=smoothing.wants
        )
        estimator = motion_estimator() if self._detector.sees_motion else None
        inputs = FrameInputs(self._detector.size, self._pools.frames, estimator)
        writer = SaliencyWriter(self._config, self.layout, self.name, self.source.size)
        with read_ahead(self.source, _FRAMES_AHEAD) as frames:
            for frame in frames:
                for seen in inputs.add(frame):
                    smoothing.see(seen.index, seen.image)
                    detection.add(seen.index, seen.name, seen.image, seen.motion)
                self._write(smoothing.smooth(detection.known()), writer)
        for seen in inputs.end():
            smoothing.see(seen.index, seen.image)
            detection.add(seen.index, seen.name, seen.image, seen.motion)
            self._write(smoothing.smooth(detection.known()), writer)
        self._write(smoothing.rest(detection.rest()), writer)
        while self._writing:
            self._take(self._writing.popleft().result())

    def _smoothing(self, finished: frozenset[str]) -> SaliencySmoothing | NoSmoothing:
        if not is_smoothed(self._config, self._detector):
            return NoSmoothing(finished)
        return SaliencySmoothing(self.source.names, finished, self._pools.frames, motion_estimator())

    def _write(self, known: Iterator[tuple[str, Tensor]], writer: SaliencyWriter) -> None:
        for name, probabilities in known:
            self._writing.append(self._pools.frames.submit(writer.write, name, probabilities))
            while len(self._writing) > _WRITES_AHEAD:
                self._take(self._writing.popleft().result())
        while self._writing and self._writing[0].done():
            self._take(self._writing.popleft().result())

    def _take(self, record: FrameRecord) -> None:
        self.commit([record])
        self.tell(record.frame)


def is_smoothed(config: PredictConfig, detector: Detector) -> bool:
    """What `smooth: auto` means for a network."""
    return detector.sees_motion if config.smooth == "auto" else config.smooth == "on"


def _out_of_memory(video: str, detector: Detector) -> DeviceError:
    return DeviceError(
        f"out of memory on {detector.device} in the video '{video}'",
        "less is needed with a smaller --clip-length, --size or --batch, with --precision bf16, "
        "or with fewer --workers",
    )
