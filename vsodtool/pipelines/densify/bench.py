"""What labels videos, one after the other or in parts: in the process of a run, or in workers elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vsodtool.config import PseudoLabelConfig
from vsodtool.media.masks.sparse import MaskSet
from vsodtool.media.video.frames import FrameSource, open_frames
from vsodtool.pipelines.densify.choosing.hidden_labels import HiddenTest
from vsodtool.pipelines.densify.choosing.trial import Scores
from vsodtool.pipelines.densify.interval import SparseVideo
from vsodtool.pipelines.densify.report import PseudoLabelVideoReport
from vsodtool.pipelines.densify.setup import Candidates
from vsodtool.pipelines.densify.updating.tools import Tools
from vsodtool.pipelines.densify.video import Equipment, VideoDensification
from vsodtool.pipelines.running.reports import Outcome
from vsodtool.pipelines.running.shots import Cuts
from vsodtool.pipelines.running.units import Division, Task
from vsodtool.pipelines.running.video_state import VideoState
from vsodtool.types import OnEvent


@dataclass(frozen=True, kw_only=True)
class LabelTask(Task):
    """A video to label.

    Attributes:
        masks: of some of its frames.
        doubts: why these may not belong to it, one line each.
        cuts: what is known of its shots.
    """

    masks: MaskSet
    doubts: Sequence[str]
    cuts: Cuts


class LabelBench:
    """Labels videos with the methods of a run."""

    def __init__(
        self,
        config: PseudoLabelConfig,
        tools: Tools,
        candidates: Candidates,
        sources: Mapping[str, FrameSource] | None = None,
    ) -> None:
        """Begin.

        Args:
            config: of the run.
            tools: made for it.
            candidates: made with these.
            sources: videos that are open already, by name.
        """
        self._config, self._tools, self._candidates = config, tools, candidates
        self._sources = sources or {}

    def make(self, task: LabelTask, state: VideoState, on_event: OnEvent) -> Outcome[PseudoLabelVideoReport]:
        """Make what is missing of a video."""
        return self._densification(task, state, on_event).run()

    def begin(
        self, task: LabelTask, state: VideoState, on_event: OnEvent, most: int, answers: Sequence[Scores]
    ) -> Division:
        """Find shots, write what was given, choose a method; then intervals are independent of each other."""
        return self._densification(task, state, on_event).begin(most, answers)

    def answer(self, task: LabelTask, question: HiddenTest, state: VideoState, on_event: OnEvent) -> Scores:
        """What methods reach on one hidden label."""
        return self._densification(task, state, on_event).measure(question)

    def fill(self, task: LabelTask, frames: Sequence[str], state: VideoState, on_event: OnEvent) -> None:
        """Fill the intervals of these frames."""
        self._densification(task, state, on_event).fill(frames)

    def _densification(self, task: LabelTask, state: VideoState, on_event: OnEvent) -> VideoDensification:
        source = self._sources.get(task.name) or open_frames(task.video)
        return VideoDensification(
            SparseVideo(source, task.masks, state.layout.root),
            state,
            on_event,
            Equipment(self._config, self._candidates, self._tools.workers, self._tools.adapt),
            doubts=task.doubts,
            cuts=task.cuts,
        )
