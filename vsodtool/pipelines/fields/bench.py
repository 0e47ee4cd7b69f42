"""What computes the flows of videos, one after the other: in a run's own process, or in workers elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vsodtool.config import FlowConfig
from vsodtool.media.video.frames import FrameSource, open_frames
from vsodtool.pipelines.fields.video import Engine, FlowTask, FlowVideoReport, run_video
from vsodtool.pipelines.running.reports import Outcome
from vsodtool.pipelines.running.units import Task
from vsodtool.pipelines.running.video_state import VideoState
from vsodtool.types import OnEvent


@dataclass(frozen=True, kw_only=True)
class FieldTask(Task):
    """A video whose flows are wanted.

    Attributes:
        flows: all of them.
    """

    flows: Sequence[FlowTask]


class FieldBench:
    """Computes flows with the estimator of a run."""

    def __init__(
        self, config: FlowConfig, engine: Engine, sources: Mapping[str, FrameSource] | None = None
    ) -> None:
        """Begin.

        Args:
            config: of the run.
            engine: what computes.
            sources: videos that are open already, by name.
        """
        self._config, self._engine, self._sources = config, engine, sources or {}

    def make(self, task: FieldTask, state: VideoState, on_event: OnEvent) -> Outcome[FlowVideoReport]:
        """Compute what is missing of a video."""
        source = self._sources.get(task.name) or open_frames(task.video)
        return run_video(self._config, source, task.flows, self._engine, state=state, on_event=on_event)
