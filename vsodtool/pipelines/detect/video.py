"""One video through `predict`: decoding, network and writing side by side."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vsodtool.checks import is_out_of_memory
from vsodtool.config import PredictConfig
from vsodtool.errors import DeviceError
from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.media.images import encode_png, read_grey
from vsodtool.media.masks.plane_png import encode_plane_png
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.video.frames import FrameSource
from vsodtool.models.detector.detector import Detector
from vsodtool.models.flow.by_patches import motion_estimator
from vsodtool.ops.confidence import frame_confidence, to_bytes
from vsodtool.ops.network_image import to_frame_size
from vsodtool.ops.shots.shots import ONE_SHOT
from vsodtool.pipelines.detect.clips import Batching, ClipDetection
from vsodtool.pipelines.detect.inputs import FrameInputs
from vsodtool.pipelines.detect.parts import divide
from vsodtool.pipelines.detect.smoothing import BLOCK, NoSmoothing, SaliencySmoothing
from vsodtool.pipelines.running.read_ahead import read_ahead
from vsodtool.pipelines.running.reports import VideoReport
from vsodtool.pipelines.running.runs import tell_notes
from vsodtool.pipelines.running.shots import NO_CUTS, Cuts
from vsodtool.pipelines.running.video_run import VideoRun
from vsodtool.pipelines.running.video_state import VideoState
from vsodtool.types import Event, Frame, FrameRecord, FrameStatus, LabelArray, OnEvent, Size

_FRAMES_AHEAD = 8  # decoded ones that wait for room
SALIENT = 128  # round(255 p) from p = 0.5 on
_WRITES_AHEAD = 16  # maps that wait to be written
LEAST_SMOOTHED = 8 * BLOCK  # frames of a part: smoothing has the network look at 48 more, a fifth of these
NETWORK = 0.9  # share of the work that is done when the network has seen a frame


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
        state: VideoState,
        on_event: OnEvent,
        *,
        config: PredictConfig,
        detector: Detector,
        batching: Batching,
        pools: Pools,
        cuts: Cuts = NO_CUTS,
    ) -> None:
        super().__init__(source, state, on_event, overlay=config.overlay)
        frames_meet = detector.is_video or detector.sees_motion or is_smoothed(config, detector)
        self._cuts = cuts if frames_meet else NO_CUTS
        self.shots = self._cuts.known(self.name, state) or ONE_SHOT
        self._config, self._detector, self._batching, self._pools = config, detector, batching, pools
        self._writing: deque[Future[FrameRecord]] = deque()
        self._looked_at = len(self.records)
        self._left = 0  # frames that wait for their map

    def make(self) -> None:
        """Decoding, network and writing side by side."""
        self._find_shots()
        self._fill(frozenset(self.records))

    def begin(self, most: int) -> list[list[str]]:
        """Find the shots, and divide the frames that are missing into parts.

        Args:
            most: frames of a part; those around it that smoothing looks at too set a least.
        """
        tell_notes(self.source, self.on_event)
        self._find_shots()
        smoothed = is_smoothed(self._config, self._detector)
        clips = self._batching.stride * self._batching.clips
        grain, least = (math.lcm(clips, BLOCK), LEAST_SMOOTHED) if smoothed else (clips, clips)
        return divide(self.source.names, self.shots, self.records.keys(), max(most, least), grain)

    def fill(self, frames: Sequence[str]) -> None:
        """Make the maps of one part, after `begin`; the video is decoded as far as they need it."""
        self._find_shots()
        self._fill(frozenset(self.source.names).difference(frames).union(self.records), to_the_end=False)

    def labels(self, frame: str) -> LabelArray | None:
        """1 where the map is salient."""
        path = self.layout.soft(self.name, frame)
        return (read_grey(path) >= SALIENT).astype(np.uint16) if path.exists() else None

    def report(self, seconds: float) -> PredictVideoReport:
        """What became of the video."""
        generated, skipped = self.count(FrameStatus.GENERATED), self.count(FrameStatus.SKIPPED)
        return PredictVideoReport(self.name, self.total, generated, skipped, self.confidence(), seconds)

    def _find_shots(self) -> None:
        if self._cuts.known(self.name, self.state) is None:
            self.tell(stage="finding cuts")
        self.shots = self._cuts.of(self.source, self.state, self.on_event)
        self.tell()

    def _fill(self, finished: frozenset[str], *, to_the_end: bool = True) -> None:
        """Make the maps of all frames but the finished ones.

        Args:
            finished: names of frames that need no map.
            to_the_end: decode everything, so that each loss is found.
        """
        self._left = self.total - len(finished)
        split = self.shots.split(self.total)
        try:
            with read_ahead(self.source, _FRAMES_AHEAD) as frames:
                for number, own in groupby(frames, lambda frame: self.shots.of(frame.index)):
                    self._fill_shot(own, split[number], finished, to_the_end=to_the_end)
                    if not (self._left or to_the_end):
                        break
            while self._writing:
                self._take(self._writing.popleft().result())
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            raise _out_of_memory(self.name, self._detector) from error

    def _fill_shot(
        self, frames: Iterator[Frame], shot: range, finished: frozenset[str], *, to_the_end: bool
    ) -> None:
        """As if the frames of a shot were a video: clips, motion and smoothing end with it."""
        count, length = len(shot), self._batching.clip_length
        names = self.source.names[shot.start : shot.stop]
        if count < length:
            many = f"{count} frame{'s' if count > 1 else ''}"
            which = many if count == self.total else f"{many} from {names[0]} on"
            text = f"{which}, fewer than a clip of {length}: one clip of {count}"
            self.on_event(Event("notice", self.name, text))
        size = self.source.size
        smoothing = self._smoothing(names, finished)
        detection = ClipDetection(
            self._detector, self._batching, self._pools.network, announced=count, wanted=smoothing.wants
        )
        estimator = motion_estimator() if self._detector.sees_motion else None
        inputs = FrameInputs(self._detector.size, self._pools.frames, estimator)
        for frame in frames:
            for seen in inputs.add(replace(frame, index=frame.index - shot.start)):
                smoothing.see(seen.index, seen.image, seen.behind)
                detection.add(seen.index, seen.name, seen.image, seen.motion)
            self._write(smoothing.smooth(self._counted(detection.known())), size)
            if not (self._left or to_the_end):
                return
        for seen in inputs.end():
            smoothing.see(seen.index, seen.image, seen.behind)
            detection.add(seen.index, seen.name, seen.image, seen.motion)
            self._write(smoothing.smooth(self._counted(detection.known())), size)
        self._write(smoothing.rest(self._counted(detection.rest())), size)

    def _counted(self, found: Iterator[tuple[str, Tensor]]) -> Iterator[tuple[str, Tensor]]:
        """What the network finds, told of: smoothing holds it back until what lies around it is there."""
        for name, probabilities in found:
            self._looked_at += 1
            self.tell()
            yield name, probabilities

    @property
    def share(self) -> float:
        """What is done of all the work on the video: nearly all of it is the network's."""
        made = len(self._seen)
        return (NETWORK * max(self._looked_at, made) + (1 - NETWORK) * made) / max(1, self.total)

    def _smoothing(self, names: Sequence[str], finished: frozenset[str]) -> SaliencySmoothing | NoSmoothing:
        if not is_smoothed(self._config, self._detector):
            return NoSmoothing(finished)
        return SaliencySmoothing(names, finished, self._pools.frames, motion_estimator())

    def _write(self, known: Iterator[tuple[str, Tensor]], size: Size) -> None:
        for name, probabilities in known:
            self._left -= 1
            self._writing.append(self._pools.frames.submit(self._write_files, name, probabilities, size))
            while len(self._writing) > _WRITES_AHEAD:
                self._take(self._writing.popleft().result())
        while self._writing and self._writing[0].done():
            self._take(self._writing.popleft().result())

    @torch.inference_mode()
    def _write_files(self, name: str, probabilities: Tensor, size: Size) -> FrameRecord:
        """Write what the network says of a frame, (1, 1, S, S) in [0, 1], in the frame's own size."""
        confidence = round(frame_confidence(probabilities, (2 * probabilities - 1).abs()), 4)
        soft = to_bytes(to_frame_size(probabilities, size))[0, 0].numpy()
        if self._config.masks:
            mask = np.where(soft >= SALIENT, np.uint8(255), np.uint8(0))
            write_bytes_atomically(self.layout.masks(self.name, name), encode_plane_png(mask))
        write_bytes_atomically(self.layout.soft(self.name, name), encode_png(soft))
        return FrameRecord(self.name, name, FrameStatus.GENERATED, "", "", confidence)

    def _take(self, record: FrameRecord) -> None:
        self.commit([record])
        self.tell(record.frame)


def output_files(config: PredictConfig, layout: OutputLayout, record: FrameRecord) -> Iterator[Path]:
    """The files that a finished frame must have."""
    if record.status is FrameStatus.SKIPPED:
        return
    yield layout.soft(record.video, record.frame)
    if config.masks:
        yield layout.masks(record.video, record.frame)


def is_smoothed(config: PredictConfig, detector: Detector) -> bool:
    """What `smooth: auto` means for a network."""
    return detector.sees_motion if config.smooth == "auto" else config.smooth == "on"


def _out_of_memory(video: str, detector: Detector) -> DeviceError:
    return DeviceError(
        f"out of memory on {detector.device} in the video '{video}'",
        "less is needed with a smaller --clip-length, --size or --batch, with --precision bf16, "
        "or with fewer --workers",
    )
