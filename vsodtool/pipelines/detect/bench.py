"""What predicts videos, one after the other: in the process of a run, or in workers elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vsodtool.config import PredictConfig
from vsodtool.media.video.frames import FrameSource, open_frames
from vsodtool.models.detector.detector import Detector
from vsodtool.pipelines.detect.clips import Batching
from vsodtool.pipelines.detect.video import Pools, PredictVideoReport, VideoPrediction
from vsodtool.pipelines.running.reports import Outcome
from vsodtool.pipelines.running.shots import Cuts
from vsodtool.pipelines.running.units import Division, Task
from vsodtool.pipelines.running.video_state import VideoState
from vsodtool.types import OnEvent


@dataclass(frozen=True, kw_only=True)
class DetectTask(Task):
    """A video to predict.

    Attributes:
        cuts: what is known of its shots.
    """

    cuts: Cuts


class DetectBench:
    """Predicts videos with the network of a run."""

    def __init__(
        self,
        config: PredictConfig,
        detector: Detector,
        batching: Batching,
        pools: Pools,
        sources: Mapping[str, FrameSource] | None = None,
    ) -> None:
        """Begin.

        Args:
            config: of the run.
            detector: the network.
            batching: what goes through it together.
            pools: threads.
            sources: videos that are open already, by name.
        """
        self._config, self._detector, self._batching, self._pools = config, detector, batching, pools
        self._sources = sources or {}

    def make(self, task: DetectTask, state: VideoState, on_event: OnEvent) -> Outcome[PredictVideoReport]:
        """Make what is missing of a video."""
        return self._prediction(task, state, on_event).run()

    def begin(
        self, task: DetectTask, state: VideoState, on_event: OnEvent, most: int, answers: Sequence[Any]
    ) -> Division:
        """Find shots; then clips are independent of each other, but for what smoothing looks at."""
        del answers
        return Division(self._prediction(task, state, on_event).begin(most))

    def fill(self, task: DetectTask, frames: Sequence[str], state: VideoState, on_event: OnEvent) -> None:
        """Make the maps of these frames."""
        self._prediction(task, state, on_event).fill(frames)

    def _prediction(self, task: DetectTask, state: VideoState, on_event: OnEvent) -> VideoPrediction:
        return VideoPrediction(
            self._sources.get(task.name) or open_frames(task.video),
            state,
            on_event,
            config=self._config,
            detector=self._detector,
            batching=self._batching,
            pools=self._pools,
            cuts=task.cuts,
        )
