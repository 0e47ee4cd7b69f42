"""One video through `predict`: decoding, network and writing side by side."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import partial

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
from vsodtool.pipelines.detect.report import PredictVideoReport
from vsodtool.pipelines.detect.smoothing import NoSmoothing, SaliencySmoothing
from vsodtool.pipelines.detect.writer import SaliencyWriter, salient_labels
from vsodtool.pipelines.running.overlay import write_overlay
from vsodtool.types import Event, FrameRecord, FrameStatus, OnEvent

_FRAMES_AHEAD = 8  # decoded ones that wait for room
_WRITES_AHEAD = 16  # maps that wait to be written


@dataclass(frozen=True)
class Pools:
    """Threads for the network, and threads for what goes in and comes out of it."""

    network: Executor
    frames: Executor


@dataclass(frozen=True)
class PredictOutcome:
    """What became of a video: one record per frame in order, the report, and what could not be read."""

    records: list[FrameRecord]
    report: PredictVideoReport
    losses: list[str]


class VideoPrediction:
    """The work on one video."""

    def __init__(
        self,
        config: PredictConfig,
        source: FrameSource,
        *,
        detector: Detector,
        batching: Batching,
        state: ResumeState,
        on_event: OnEvent,
    ) -> None:
        self._config, self._source, self._layout = config, source, state.layout
        self._detector, self._batching = detector, batching
        self._journal, self._on_event = state.journal, on_event
        self._name = source.video.name
        self._records = state.finished(self._name)
        self._writing: deque[Future[FrameRecord]] = deque()

    def run(self, pools: Pools) -> PredictOutcome:
        """Make what is missing.

        Raises:
            DataError: nothing decodes, or a folder holds frames of several sizes.
            DeviceError: out of memory, or the output cannot be written.
        """
        started = time.perf_counter()
        total = len(self._source.names)
        self._on_event(Event("video", self._name, total=total, done=len(self._records)))
        losses: list[str] = []
        if not self._is_finished():
            try:
                self._fill(pools)
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                raise _out_of_memory(self._name, self._detector) from error
            losses = self._note_losses()
        if self._config.overlay and not self._layout.overlay(self._name).exists():
            labels = partial(salient_labels, self._layout, self._name)
            write_overlay(self._layout.overlay(self._name), self._source, labels)
        report = self._report(time.perf_counter() - started)
        self._on_event(Event("done", self._name, done=total, total=total))
        return PredictOutcome([self._records[frame] for frame in self._source.names], report, losses)

    def _is_finished(self) -> bool:
        # What was lost is told by every run, so a cut file is decoded again.
        return not self._source.is_cut and all(
            name in self._records and self._records[name].status is not FrameStatus.SKIPPED
            for name in self._source.names
        )

    def _fill(self, pools: Pools) -> None:
        count, length = len(self._source.names), self._batching.clip_length
        if count < length:
            text = f"{count} frames, fewer than a clip of {length}: one clip of {count}"
            self._on_event(Event("notice", self._name, text))
        finished = frozenset(self._records)
        smoothing = self._smoothing(finished, pools)
        detection = ClipDetection(
            self._detector,
            self._batching,
            pools.network,
            announced=count,
            wanted=smoothing.wants,
        )
        estimator = motion_estimator() if self._detector.sees_motion else None
        inputs = FrameInputs(self._detector.size, pools.frames, estimator)
        writer = SaliencyWriter(self._config, self._layout, self._name, self._source.size)
        with read_ahead(self._source, _FRAMES_AHEAD) as frames:
            for frame in frames:
                for seen in inputs.add(frame):
                    smoothing.see(seen.index, seen.image)
                    detection.add(seen.index, seen.name, seen.image, seen.motion)
                self._write(smoothing.smooth(detection.known()), writer, pools)
        for seen in inputs.end():
            smoothing.see(seen.index, seen.image)
            detection.add(seen.index, seen.name, seen.image, seen.motion)
            self._write(smoothing.smooth(detection.known()), writer, pools)
        self._write(smoothing.rest(detection.rest()), writer, pools)
        while self._writing:
            self._commit(self._writing.popleft().result())

    def _smoothing(self, finished: frozenset[str], pools: Pools) -> SaliencySmoothing | NoSmoothing:
        if not is_smoothed(self._config, self._detector):
            return NoSmoothing(finished)
        return SaliencySmoothing(self._source.names, finished, pools.frames, motion_estimator())

    def _write(self, known: Iterator[tuple[str, Tensor]], writer: SaliencyWriter, pools: Pools) -> None:
        for name, probabilities in known:
            self._writing.append(pools.frames.submit(writer.write, name, probabilities))
            while len(self._writing) > _WRITES_AHEAD:
                self._commit(self._writing.popleft().result())
        while self._writing and self._writing[0].done():
            self._commit(self._writing.popleft().result())

    def _commit(self, record: FrameRecord) -> None:
        self._journal.commit([record])
        self._records[record.frame] = record
        done = len(self._records)
        self._on_event(Event("frame", self._name, done=done, total=len(self._source.names)))

    def _note_losses(self) -> list[str]:
        """Give the frames that did not decode their place in the records; tell what was lost."""
        for frame in self._source.names:
            if frame not in self._records:
                self._records[frame] = FrameRecord(self._name, frame, FrameStatus.SKIPPED, "", "", 0.0)
        losses = [f"{self._name}: frame {loss.frame_name}: {loss.reason}" for loss in self._source.losses]
        for line in losses:
            self._on_event(Event("warning", self._name, line))
        return losses

    def _report(self, seconds: float) -> PredictVideoReport:
        found = [
            record.confidence for record in self._records.values() if record.status is FrameStatus.GENERATED
        ]
        return PredictVideoReport(
            self._name,
            len(self._source.names),
            len(found),
            len(self._records) - len(found),
            round(sum(found) / len(found), 4) if found else 1.0,
            round(seconds, 3),
        )


def is_smoothed(config: PredictConfig, detector: Detector) -> bool:
    """What `smooth: auto` means for a network."""
    return detector.sees_motion if config.smooth == "auto" else config.smooth == "on"


def _out_of_memory(video: str, detector: Detector) -> DeviceError:
    return DeviceError(
        f"out of memory on {detector.device} in the video '{video}'",
        "less is needed with a smaller --clip-length, --size or --batch, with --precision bf16, "
        "or with fewer --workers",
    )
